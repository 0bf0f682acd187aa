"""What is wrong with a lesson."""


class LessonError(Exception):
    """A block or a number that cannot be made; says in which page and line."""

    def __init__(self, message: str, page: str = "", line: int = 0) -> None:
        place = f"{page}:{line}: " if line else f"{page}: " if page else ""
        super().__init__(place + message)
        self.message = message
