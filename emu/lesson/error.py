"""The one exception of the package."""


class LessonError(Exception):
    """A walkthrough cannot be made as asked: one line saying what and where."""
