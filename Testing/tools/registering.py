"""A program that waits for a job: the registration of two volumes of noise in a child process."""

from VSClickCorrectLib.cli.main import STOPPED
from VSClickCorrectLib.signals import end_on_signals


def register():
    """Register them."""
    import numpy as np
    from VSClickCorrectLib.geometry.grid import Grid
    from VSClickCorrectLib.geometry.volume import Volume
    from VSClickCorrectLib.jobs.job import Job

    noise = np.random.default_rng(0).random((100, 150, 150), np.float32)
    volume = Volume(noise, Grid(noise.shape, np.eye(4)))
    Job.start_registration(volume, volume).result()


if __name__ == "__main__":
    end_on_signals(STOPPED)
    register()
