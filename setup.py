"""setup.cfg says all that can be said as data. One thing can't: schema.sql stands at the top of the project, because it
is the one truth about the database, and travels inside of the wheel."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithSchema(build_py):
    """Puts schema.sql beside the package `hotline`, which reads it there."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            shutil.copy(Path(__file__).parent / "schema.sql", Path(self.build_lib) / "hotline" / "schema.sql")


setup(cmdclass={"build_py": BuildWithSchema})
