"""The error of the job file, and the nearest known word for an unknown one."""

from difflib import SequenceMatcher, get_close_matches

TYPING_ERROR = 0.75
"""Similarity from which on a word counts as a known one with a typing error."""


class JobError(ValueError):
    """A job file, or a setting that was given for it, is wrong.

    The text is one line: where, which key, the value, what is allowed.

    Parameters
    ----------
    message : str
        What is wrong, with the value and what is allowed.
    key : str
        Dotted key, for example "particles.nside"; empty where no key is to blame.
    where : str
        File, and the case if there is one.
    """

    def __init__(self, message, key="", where=""):
        self.message = " ".join(str(message).split())
        self.key = key
        self.where = where
        # a single argument, so that the error survives pickling between ranks
        super().__init__(": ".join(part for part in (where, key, self.message) if part))

    def at(self, where):
        """The same error with its place put in front."""
        return JobError(self.message, self.key, f"{where}: {self.where}" if self.where else where)


def shown(value):
    """A value of a job file as a person wrote it: text in quotes, true and false in TOML's way."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(shown(item) for item in value)}]"
    if isinstance(value, dict):
        return "a table"
    try:
        return str(value)
    except ValueError:  # Python refuses to write out thousands of digits
        return "a number of thousands of digits"


def one_of(words):
    """Allowed words as text: "a", "b" or "c"."""
    quoted = [f'"{word}"' for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def nearest(word, known):
    """The known word closest to `word`, or None where nothing is similar."""
    matches = get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def unknown_key(key, known):
    """Words for an unknown dotted key.

    Parameters
    ----------
    key : str
        Dotted key as it was given.
    known : dict
        Section name -> its keys.

    Returns
    -------
    str
        "unknown key; did you mean ...?", or with the keys that exist there.
    """
    section, _, name = key.partition(".")
    if section not in known:
        guess = nearest(section, known)
        if name and not guess:
            homes = [s for s, names in known.items() if name in names]
            if homes:
                return f"unknown key; did you mean {homes[0]}.{name}?"
        if name and guess:
            name = name if name in known[guess] else nearest(name, known[guess])
            guess = f"{guess}.{name}" if name else guess
        hint = f"did you mean {guess}?" if guess else f"the sections are {', '.join(known)}"
        return f"unknown {'key' if name else 'section'}; {hint}"
    guess = nearest(name, known[section])
    homes = [s for s, names in known.items() if name in names]
    if homes and not (guess and SequenceMatcher(None, name, guess).ratio() > TYPING_ERROR):
        # right name, wrong section
        return f"unknown key; did you mean {homes[0]}.{name}?"
    if guess is None:
        for other, names in known.items():
            if other != section and nearest(name, names):
                return f"unknown key; did you mean {other}.{nearest(name, names)}?"
        return f"unknown key; the keys of [{section}] are {', '.join(known[section])}"
    return f"unknown key; did you mean {section}.{guess}?"
