"""setuptools commands that build `esg.accel` whole or not at all, and say why not."""

from __future__ import annotations

import os
from pathlib import Path

from setuptools import Extension
from setuptools.command.build_ext import build_ext

from build_accel import extensions, llhttp_source

ROOT = Path(__file__).parent.parent


class BuildAccel(build_ext):
    """Translate, compile and link the extensions with llhttp."""

    def build_extensions(self) -> None:
        """Build all of them; the compiler is set up."""
        llhttp = llhttp_source.find(ROOT)
        objects = self._compile_llhttp(llhttp)
        users = [extensions.uses_llhttp(e) for e in self.extensions]
        self.parallel = self.parallel or os.cpu_count() or 1
        extensions.to_c(self.extensions, self.parallel)
        for extension, uses in zip(self.extensions, users, strict=True):
            self._connect(extension, llhttp, objects if uses else [])
        super().build_extensions()

    def _compile_llhttp(self, llhttp: llhttp_source.Llhttp) -> list[str]:
        objects: list[str] = self.compiler.compile(
            llhttp.sources,
            output_dir=self.build_temp,
            include_dirs=llhttp.include_dirs,
            extra_postargs=["-O3"],
        )
        return objects

    def _connect(
        self, extension: Extension, llhttp: llhttp_source.Llhttp, objects: list[str]
    ) -> None:
        extension.include_dirs += llhttp.include_dirs
        extension.extra_compile_args += llhttp.compile_args
        extension.extra_link_args += llhttp.link_args if objects else []
        extension.extra_objects += objects
