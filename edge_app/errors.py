"""The one kind of error that a user can mend."""


class UserError(Exception):
    """Its text is a sentence or two: what was found, what was expected, what to do.

    Commands print it and end with status 1; everything else is a bug and keeps its traceback.
    """
