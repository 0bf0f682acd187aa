"""Pictures and walkthroughs of one unwind, made from what a run shows."""
