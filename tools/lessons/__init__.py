"""Makes the lessons of docs/lessons: every number, listing and picture in them is from a run."""
