"""setuptools commands that build `esg.accel` whole or not at all, and record why not."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path
from typing import ClassVar

from setuptools import Command, Extension
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist
from setuptools.errors import BaseError, CCompilerError, CompileError

from build_accel import choice, extensions, llhttp_source

ROOT = Path(__file__).parent.parent
_RECORD = "esg/accel/_build_info.py"


class NotBuilt(Exception):
    """Say in a phrase, for the user who asks why it is not there, what the build lacked."""


class Build(build):
    """Build the package, and write into it what has become of the compiled part."""

    sub_commands: ClassVar = [*build.sub_commands, ("build_info", None)]


class BuildAccel(build_ext):
    """Translate, compile and link the extensions with llhttp.

    Attributes:
        failure: why there are none, where that is allowed (ESG_ACCEL=auto).
    """

    failure = ""
    inplace: bool
    extensions: list[Extension]
    parallel: int | None

    def finalize_options(self) -> None:
        """Keep what is built for the tree itself, lest an installation compile it all again."""
        super().finalize_options()
        if self.inplace:
            kept = Path("build") / f"inplace-{sysconfig.get_config_var('SOABI')}"
            self.build_lib, self.build_temp = str(kept / "lib"), str(kept / "temp")

    def run(self) -> None:
        """Build all of them, or none."""
        self._remove_outdated()
        inplace = self.inplace
        try:
            super().run()
        except NotBuilt as reason:
            self.inplace = inplace  # which run() takes back at its end only
            if choice.mode() == "require":
                raise SystemExit(f"ESG_ACCEL=require: {reason}") from reason
            self.warn(f"the fast implementation is left out: {reason}")
            self.failure = str(reason)
            self.extensions = []
            self._remove_outdated()
        self.run_command("build_info")

    def build_extensions(self) -> None:
        """Build every extension; the compiler is set up.

        Raises:
            NotBuilt: something that the build needs is missing.
        """
        try:
            llhttp = llhttp_source.find(ROOT)
            self._check_compiler()
            self._translate_and_compile(llhttp)
        except llhttp_source.LlhttpMissing as error:
            raise NotBuilt(str(error)) from error
        except (CCompilerError, BaseError) as error:
            raise NotBuilt(f"compiling failed ({error})") from error
        except ModuleNotFoundError as error:
            if error.name != "Cython":
                raise
            raise NotBuilt("Cython was not installed") from error

    def _check_compiler(self) -> None:
        """Tell a missing compiler from missing headers: the remedies differ."""
        folder = Path(self.build_temp)
        folder.mkdir(parents=True, exist_ok=True)
        for header, lack in (
            ("stddef.h", "no working C compiler"),
            ("Python.h", "Python's C headers were not found"),
        ):
            probe = folder / f"has_{header[:-2].lower()}.c"
            probe.write_text(f"#include <{header}>\nint esg_probe;\n")
            try:
                self.compiler.compile([str(probe)], output_dir=str(folder))
            except CompileError as error:
                raise NotBuilt(f"{lack} ({error})") from error

    def _translate_and_compile(self, llhttp: llhttp_source.Llhttp) -> None:
        # A source is .c after the translation.
        users = [extensions.calls_llhttp(e) for e in self.extensions]
        self.parallel = self.parallel or os.cpu_count() or 1
        extensions.to_c(self.extensions, self.parallel)
        objects = self._compile_llhttp(llhttp)
        for extension, uses in zip(self.extensions, users, strict=True):
            self._connect(extension, llhttp, objects if uses else [], uses)
        super().build_extensions()

    def _compile_llhttp(self, llhttp: llhttp_source.Llhttp) -> list[str]:
        """Compile it once for all the extensions that call it."""
        objects: list[str] = self.compiler.compile(
            llhttp.sources,
            output_dir=self.build_temp,
            include_dirs=llhttp.include_dirs,
            extra_postargs=extensions.compile_args(),
        )
        return objects

    def _connect(
        self, extension: Extension, llhttp: llhttp_source.Llhttp, objects: list[str], links: bool
    ) -> None:
        # One that has a parser inside of it needs the header without calling llhttp.
        extension.include_dirs += llhttp.include_dirs
        extension.extra_compile_args += llhttp.compile_args
        extension.extra_link_args += llhttp.link_args if links else []
        extension.extra_objects += objects

    def _remove_outdated(self) -> None:
        """Remove what an earlier build left and this one does not make."""
        wanted = {
            self.get_ext_filename(self.get_ext_fullname(e.name)) for e in self.extensions or []
        }
        for top in [Path(self.build_lib), *([ROOT] if self.inplace else [])]:
            remove_compiled(top, wanted)


class BuildInfo(Command):
    """Write `esg/accel/_build_info.py`: why the package has no compiled part."""

    description = "record why the fast implementation was not built"
    user_options: ClassVar[list[tuple[str, str | None, str]]] = []
    editable_mode = False
    build_lib: str

    def initialize_options(self) -> None:
        """Take no options."""
        self.build_lib = None  # type: ignore[assignment] # not set yet, to setuptools

    def finalize_options(self) -> None:
        """Learn where the package is being built."""
        self.set_undefined_options("build_py", ("build_lib", "build_lib"))

    def run(self) -> None:
        """Write the reason, "" where there is a compiled part."""
        reason = choice.why_not_compiled()
        built = self.get_finalized_command("build_ext")
        top = ROOT if self.editable_mode or built.inplace else Path(self.build_lib)
        if reason:
            remove_compiled(top, set())
        record = top / _RECORD
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(
            '"""Written by the build."""\n\n'
            f"REASON = {reason or built.failure!r}\n"
            f"BUILT_FOR = {sysconfig.get_config_var('SOABI')!r}\n",
            "utf-8",
        )

    def get_source_files(self) -> list[str]:
        """Return what an sdist needs for it."""
        return []

    def get_outputs(self) -> list[str]:
        """Return what it writes."""
        return [] if self.editable_mode else [str(Path(self.build_lib) / _RECORD)]

    def get_output_mapping(self) -> dict[str, str]:
        """Return what it copies: nothing."""
        return {}


class SourceDistribution(sdist):
    """Put llhttp into the source distribution, so that it builds without a network."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Make the tree and copy llhttp's files into it."""
        super().make_release_tree(base_dir, files)
        source = ROOT / llhttp_source.source_folder(ROOT)
        target = Path(base_dir) / llhttp_source.VENDORED
        target.mkdir(parents=True, exist_ok=True)
        for name in llhttp_source.FILES.values():
            shutil.copyfile(source / name, target / name)


def remove_compiled(top: Path, wanted: set[str]) -> None:
    """Remove the extension modules for this Python that are not `wanted` (paths below `top`)."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    for path in (top / "esg/accel").rglob(f"*{suffix}"):
        if str(path.relative_to(top)) not in wanted:
            path.unlink()
