"""Work that is done later: two lanes of threads, so that a large batch does not hold up single invoices."""

import heapq
import itertools
import sys
import threading
import time
import traceback


class Lane:
    """One thread that runs functions when they are due. Times are seconds of the real clock."""

    def __init__(self, name):
        self._heap = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        self._stopped = False
        self._busy = False
        self._thread = threading.Thread(target=self._run, name=f"sandbox-{name}", daemon=True)
        self._thread.start()

    def at(self, due, work, *arguments):
        """Run ``work(*arguments)`` at a time (at once when it has passed)."""
        with self._wake:
            heapq.heappush(self._heap, (due, next(self._order), work, arguments))
            self._wake.notify()

    def stop(self):
        """Finish the piece of work in hand and no more."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=30)

    def clear(self):
        """Forget what is waiting and wait until the piece of work in hand is done."""
        with self._wake:
            self._heap.clear()
            while self._busy and threading.current_thread() is not self._thread:
                self._wake.wait(1)

    def _next(self):
        with self._wake:
            self._busy = False
            self._wake.notify_all()
            while not self._stopped:
                if self._heap and self._heap[0][0] <= time.time():
                    self._busy = True
                    return heapq.heappop(self._heap)
                self._wake.wait(min(1.0, self._heap[0][0] - time.time()) if self._heap else 1.0)
        return None

    def _run(self):
        while (item := self._next()) is not None:
            try:
                item[2](*item[3])
            # a fault of one piece of work must not end the lane; it is shown in full
            except Exception:  # noqa: BLE001  pylint: disable=broad-exception-caught
                traceback.print_exc(file=sys.stderr)


class Jobs:
    """The two lanes and the regular housekeeping."""

    def __init__(self):
        self.quick = Lane("quick")
        self.long = Lane("long")
        self._end = threading.Event()

    def every(self, seconds, work):
        """Run ``work()`` again and again in a thread of its own, ``seconds`` apart, until the end."""
        def repeat():
            while not self._end.wait(seconds):
                self.quick.at(0, work)
        threading.Thread(target=repeat, name="sandbox-clock", daemon=True).start()

    def clear(self):
        """Forget all waiting work."""
        self.quick.clear()
        self.long.clear()

    def stop(self):
        """End everything."""
        self._end.set()
        self.quick.stop()
        self.long.stop()
