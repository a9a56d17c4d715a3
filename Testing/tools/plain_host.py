"""A window without any window: what the workflow asks is written down, and time passes when the test says."""

from __future__ import annotations

from contextlib import nullcontext

from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.workflow.host import SteppingHost


class PlainHost(SteppingHost):
    """Answers questions from ``answers``, and keeps what was said, newest last."""

    def __init__(self):
        self.said, self.questions, self.answers, self.packages = [], [], [], True
        self.while_waiting = lambda: None
        self._due = []

    @property
    def status(self):
        """The status line."""
        return self.said[-1] if self.said else ""

    def later(self, seconds, action):
        self._due.append((seconds, action))

    def run(self, verb):
        """Do a verb as a window does: what goes wrong is told."""
        try:
            self.start(verb)
        except VSClickError as error:
            self.fail(error)

    def pass_time(self, seconds=1.0, turns=1):
        """Let what is due within that time happen, as often."""
        for _ in range(turns):
            due, self._due = self._due, [(s, a) for s, a in self._due if s > seconds]
            for wait, action in due:
                if wait <= seconds:
                    try:
                        action()
                    except VSClickError as error:
                        self.fail(error)

    def waiting(self):
        self.while_waiting()
        return nullcontext()

    async def confirm(self, question):
        self.questions.append(question)
        return self.answers.pop(0)

    def has_packages(self):
        return self.packages

    def say(self, sentence):
        self.said.append(sentence)

    def fail(self, error):
        self.said.append(error.sentence)


class JobByHand:
    """A job whose state the test says."""

    def __init__(self, outcome):
        self.outcome, self.done, self.cancelled = outcome, False, False

    def poll(self):
        from VSClickCorrectLib.jobs.job import JobState

        return JobState(0.25, "half-way", self.done)

    def result(self):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def cancel(self):
        self.cancelled = True


def end(job, host):
    """Let a `JobByHand` be done, and whoever waits for it go on."""
    job.done = True
    host.pass_time(0.2, turns=2)
