"""What a result file says in a few lines, one module per kind of job."""
