# SPDX-License-Identifier: GPL-2.0
"""What a VM boots: the initramfs, the disk with guests, and the scenario that init reads."""

import os
import lzma
import re
import shutil
import struct
import subprocess
from pathlib import Path

from . import host
from .host import Failed
from .prepare import test_program

# What QEMU loads for a machine without a VGA
GUEST_ROMS = ("bios-256k.bin", "kvmvapic.bin", "linuxboot_dma.bin", "pvh.bin", "qboot.rom")
GUEST_MODULES = ("virtio_pci", "virtio_console", "virtio_net", "virtio_balloon", "virtio_mem")
# In each VM as /bin/pkramctl
TOOL = "build/userspace/pkramctl.static"
START_QEMU = """\
#!/bin/sh
exec /guest/lib/ld-linux-x86-64.so.2 --library-path /guest/lib \\
	/guest/bin/qemu-system-x86_64 "$@"
"""


def _call(*argv, **keywords):
    done = subprocess.run([str(a) for a in argv], check=False, stderr=subprocess.PIPE,
                          **keywords)
    if done.returncode:
        said = done.stderr.decode(errors="replace").splitlines()
        raise Failed(f"{argv[0]}: {said[-1] if said else 'failed'}", said)
    return done.stdout


def _install(source, to, mode=0o755):
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, to)
    except OSError as error:
        raise Failed(f"cannot copy {source}: {error.strerror}") from error
    to.chmod(mode)


def _cpio(root, out):
    names = _call("find", ".", "-print0", cwd=root, stdout=subprocess.PIPE)
    with open(out, "wb") as file:
        _call("cpio", "--quiet", "-0", "-o", "-H", "newc", "-R", "0:0", cwd=root,
              input=names, stdout=file)
    shutil.rmtree(root)


# -- kernel modules ----------------------------------------------------------------

def _module_key(path):
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


def modules_in_order(directory, names):
    """Paths in directory of the modules and what they depend on, in the order to load them.

    Those that are built in, or that the kernel does not have, are left out.
    """
    needs = {}
    dep = Path(directory) / "modules.dep"
    if dep.exists():
        for line in dep.read_text().splitlines():
            path, _, others = line.partition(":")
            needs[_module_key(path)] = [path, *reversed(others.split())]
    order = {}
    for name in names:
        path, *others = needs.get(_module_key(name), [None])
        if path:
            order.update(dict.fromkeys([*others, path]))
    return list(order)


def put_modules(to, kernel_dir, names):
    """Debian's modules and what they depend on, named in the order to load them."""
    unpack = {".xz": ["xz", "-dc"], ".zst": ["zstd", "-qdc"]}
    for number, path in enumerate(modules_in_order(f"{kernel_dir}/modules", names), 10):
        source = Path(kernel_dir) / "modules" / path
        name = to / f"{number}-{source.name.partition('.')[0]}.ko"
        with open(name, "wb") as file:
            _call(*unpack.get(source.suffix, ["cat"]), source, stdout=file)


def _module_depends(module):
    said = _call("modinfo", "-F", "depends", module, stdout=subprocess.PIPE).decode()
    return [name for name in said.strip().split(",") if name]


# -- programs ----------------------------------------------------------------------

def put_file(root, source, to=None):
    """A program or script with the shared libraries it needs."""
    _install(source, root / str(to or source).lstrip("/"))
    for library in host.libraries(source):
        if not (root / library.lstrip("/")).exists():
            _install(library, root / library.lstrip("/"))


def put_packages(root, names):
    """The programs of Debian packages."""
    if not names:
        return
    files = _call("dpkg", "-L", *names, stdout=subprocess.PIPE).decode().splitlines()
    for name in files:
        if re.search(r"/s?bin/[^/]+$", name) and Path(name).is_file():
            put_file(root, name)


def put_ynl(root, tools):
    """/ynl: the kernel's client for netlink specs, the specs, and our checks.

    Python comes with the modules that all this imports.
    """
    to = root / "ynl"
    to.mkdir()
    shutil.copytree(f"{tools}/tools/net/ynl/pyynl", to / "pyynl")
    for name in (f"{tools}/Documentation/netlink/specs/nlctrl.yaml",
                 host.TOP / "uapi/pkram.yaml", host.VM / "ynl.py"):
        shutil.copy(name, to)
    put_file(root, "/usr/bin/python3", "bin/python3")
    said = _call("/usr/bin/python3", "-B", "-c",
                 "import sys, ynl\n"
                 "for m in list(sys.modules.values()):\n"
                 "    print(getattr(m, '__file__', None) or '')",
                 env={**os.environ, "PYTHONPATH": str(to)}, stdout=subprocess.PIPE)
    for name in said.decode().splitlines():
        if name.startswith("/usr/"):
            put_file(root, name)


# -- guests --------------------------------------------------------------------------

def unpack_kernel(vmlinuz):
    """The ELF file in a bzImage, which starts in half the time: there is nothing to
    decompress, and qboot can boot it (PVH). Offsets: Documentation/arch/x86/boot.rst
    """
    data = Path(vmlinuz).read_bytes()
    offset, length = struct.unpack_from("<II", data, 0x248)
    begin = (data[0x1f1] + 1) * 512 + offset
    # The last 4 bytes, the unpacked size, are no part of what was packed.
    packed = data[begin:begin + length - 4]
    if packed.startswith(b"\xfd7zXZ"):
        return lzma.decompress(packed)
    return _call("zstd", "-dc", input=packed, stdout=subprocess.PIPE)


class Image:
    """The files that the VM of one scenario boots, in its log directory."""

    def __init__(self, scenario, directory, prepared, opts):
        self.scenario = scenario
        self.directory = Path(directory)
        self.prepared = prepared
        self.opts = opts
        self.conf = scenario.conf

    def kernel_dir(self, series):
        """The directory of a kernel in the cache."""
        return self.prepared.get("kernel", series)[1]

    def kernel_version(self, series):
        """The version of a kernel, as uname -r prints it."""
        return self.prepared.get("kernel", series)[0]

    def image_id(self, series):
        """A kernel's disk, by a name that with a colon and the size fits into the 20 bytes
        of a serial number.
        """
        return f"k{self.scenario.kernels.index(series)}"

    def make(self):
        """Make all of them; raise Failed if that is not possible."""
        if self.conf["ROOT"]:
            self._make_debian()
        else:
            self._make_initrd()

    def remove(self):
        """Remove what is large."""
        for name in ("initrd", "guest", "vars"):
            (self.directory / name).unlink(missing_ok=True)

    def _write_scenario(self, path, images=()):
        one = self.scenario
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{key}={value}\n" for key, value in {
            "stages": " ".join(one.stages),
            "kernels": " ".join(self.kernel_version(k) for k in one.kernels),
            "images": " ".join(images),
            "cmdline": one.cmdline,
            "filter": one.filter,
            "next_files": self.conf["NEXT_FILES"],
            "interactive": "1" if self.opts.interactive else "",
            "limits": "" if one.guests else "outside",
            "allow": self.conf["ALLOW_KMSG"],
        }.items()))

    def _put_kernel(self, root, series, names):
        """What one kernel of the chain needs in the initramfs."""
        version = self.kernel_version(series)
        to = root / "lib/modules" / version
        if to.exists():
            return
        to.mkdir(parents=True)
        ours = root / "lib/pkram" / version
        ours.mkdir(parents=True)
        names = list(names)
        if not self.opts.no_module:
            built = Path(self.prepared.get("modules", series))
            with open(to / "modules.dep", "w", encoding="ascii") as dep:
                for module in [*built.glob("kmod/*.ko"), *built.glob("kmod/*/*.ko"),
                               *built.glob("selftests/vm/kmod/*.ko")]:
                    _call("strip", "--strip-debug", "-o", ours / module.name, module)
                    # As depmod would tell where it is
                    dep.write(f"/lib/pkram/{version}/{module.name}:\n")
            # Those of the others are named by the scenarios that load them (MODULES).
            names += _module_depends(built / "kmod/pkram.ko")
        put_modules(to, self.kernel_dir(series), names)

    def _make_initrd(self):
        one, root = self.scenario, self.directory / "root"
        for name in ("bin", "sbin", "dev", "proc", "sys", "run", "tmp", "etc", "mnt", "lib"):
            (root / name).mkdir(parents=True)
        _install(host.OUT / "init", root / "init")
        _install(test_program(one.name), root / "test")
        _install("/bin/busybox", root / "bin/busybox")
        applets = _call("busybox", "--list", stdout=subprocess.PIPE).decode().split()
        for applet in applets:
            if applet != "busybox":
                (root / "bin" / applet).symlink_to("busybox")
        (root / "etc/passwd").write_text("root:x:0:0:root:/tmp:/bin/sh\n")
        needed = self.conf["MODULES"].split()
        if len(one.stages) > 1:
            needed += ["virtio_pci", "virtio_blk"]
        if one.guests:
            needed += ["virtio_pci", "virtio_blk", "squashfs"]
            self._make_guest_disk(
                ["kvm_amd"] + (["virtio_net", "tun", "bridge"] if self.conf["NET"] else []))
            (root / "guest").mkdir()
            start = root / "bin/qemu-system-x86_64"
            start.write_text(START_QEMU)
            start.chmod(0o755)
        for series in one.kernels:
            self._put_kernel(root, series, needed)
        put_packages(root, self.conf["PACKAGES"].split())
        if self.conf["YNL"]:
            put_ynl(root, self.prepared.get("tools"))
        self.prepared.get("userspace")
        for name in dict.fromkeys([TOOL, *self.conf["FILES"].split()]):
            base = Path(name).name
            put_file(root, host.TOP / name, f"bin/{base}")
            if base.endswith(".static"):
                (root / "bin" / base.removesuffix(".static")).symlink_to(base)
        self._write_scenario(root / "etc/scenario", [self.image_id(k) for k in one.kernels])
        _cpio(root, self.directory / "initrd")

    def _make_debian(self):
        """The disk with Debian, of which the VM writes to a copy; what is this scenario's
        own is on the disk with the guests.
        """
        one, root = self.scenario, self.directory / "guest.root"
        self.debian = self.prepared.get("debian", tuple(one.kernels))
        root.mkdir()
        _install(host.OUT / "init", root / "init")
        _install(test_program(one.name), root / "test")
        self._write_scenario(root / "scenario")
        self._make_guest_disk([])
        (self.directory / "initrd").symlink_to(f"{self.debian}/initrd-{one.kernels[0]}")

    def _qemu_directory(self):
        version = self.conf["QEMU"]
        if os.environ.get("PKRAM_QEMU"):
            return Path(os.environ["PKRAM_QEMU"])
        return Path("/usr" if version == "debian" else self.prepared.get("guest_qemu", version))

    def _put_qemu(self, root):
        """A QEMU with its libraries and ROMs."""
        directory = self._qemu_directory()
        for name in ("bin", "lib", "roms"):
            (root / name).mkdir(parents=True, exist_ok=True)
        program = directory / "bin/qemu-system-x86_64"
        _call("strip", "-o", root / "bin/qemu-system-x86_64", program)
        for library in host.libraries(program):
            shutil.copy(library, root / "lib")
        for rom in GUEST_ROMS:
            paths = (directory / "share/qemu" / rom, Path("/usr/share/seabios") / rom)
            found = next((path for path in paths if path.exists()), None)
            if not found:
                raise Failed(f"no {rom} in {directory}/share/qemu")
            shutil.copy(found, root / "roms")

    def _put_guest(self, root, series):
        """A Linux guest: a kernel, and an initramfs with guest/init.c."""
        init = root / "init.root"
        vmlinuz = f"{self.kernel_dir(series)}/vmlinuz"
        shutil.copy(vmlinuz, root)
        (root / "vmlinux").write_bytes(unpack_kernel(vmlinuz))
        (init / "modules").mkdir(parents=True)
        _install(host.OUT / "guest/init", init / "init")
        put_modules(init / "modules", self.kernel_dir(series), GUEST_MODULES)
        _cpio(init, root / "initrd")

    def _make_guest_disk(self, modules):
        """A read-only disk with QEMU, guests, and modules for the host's kernels: it costs
        nothing until it is read, while an initramfs is copied and hashed.
        """
        root = self.directory / "guest.root"
        self.prepared.get("guests")
        self._put_qemu(root)
        shutil.copy(host.OUT / "guest/tiny.bin", root)
        if self.conf["GUEST"]:
            self._put_guest(root, self.conf["GUEST"])
        for series in dict.fromkeys(self.scenario.kernels):
            to = root / "modules" / self.kernel_version(series)
            to.mkdir(parents=True)
            put_modules(to, self.kernel_dir(series), modules)
        _call("mksquashfs", root, self.directory / "guest", "-quiet", "-no-progress", "-all-root",
              "-no-xattrs", "-noI", "-noD", "-noF", "-noX", stdout=subprocess.DEVNULL)
        shutil.rmtree(root)
