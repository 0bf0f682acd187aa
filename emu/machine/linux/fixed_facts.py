"""What every guest is told about itself and its machine, whoever runs it and wherever."""

FIRST_ID = 1000
"""Number of the first process of a run, of its first thread and its group."""
PARENT_ID = 1
"""Who started it, and leads its session."""
UID = 1000
"""User and group, real and effective."""
HOST_NAME = "emu"
RELEASE = "6.12.0"
