"""Waiting with a deadline."""

import time


def wait_for(condition, what, seconds=40, pause=0.05, meanwhile=None):
    """Ask ``condition()`` until it returns something true, and return that.

    :param what: for the message of the AssertionError that is raised after ``seconds``; a function is called
    :param meanwhile: called about once a second while waiting
    """
    end = time.monotonic() + seconds
    last = time.monotonic()
    while not (answer := condition()):
        now = time.monotonic()
        if now > end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        if meanwhile and now - last >= 1:
            last = now
            meanwhile()
        time.sleep(pause)
    return answer
