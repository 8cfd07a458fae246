//! Limits a function to the processor share that Lambda gives a small one, with a control group.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// 128 MB of the 1,769 MB that come with a whole core
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>), in microseconds of a
/// period.
const QUOTA: u32 = 1_440;
const PERIOD: u32 = 20_000;

/// A control group for one process.
pub(crate) struct Quota {
    folder: PathBuf,
    version: Version,
}

#[derive(Clone, Copy)]
enum Version {
    One,
    Two,
}

impl Quota {
    /// Makes a group without a limit.
    ///
    /// # Errors
    ///
    /// If the system forbids it, or has no controller for processors.
    pub(crate) fn new() -> io::Result<Self> {
        let name = format!("rollcall-bench-{}", std::process::id());
        let (root, version) = if Path::new("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").exists() {
            ("/sys/fs/cgroup/cpu", Version::One)
        } else {
            // Possible at the root, and where controllers are already delegated.
            fs::write("/sys/fs/cgroup/cgroup.subtree_control", "+cpu")?;
            ("/sys/fs/cgroup", Version::Two)
        };
        let folder = Path::new(root).join(name);
        if !folder.exists() {
            fs::create_dir(&folder)?;
        }
        let quota = Self { folder, version };
        quota.lift()?;
        Ok(quota)
    }

    /// # Errors
    ///
    /// If the process can't be moved.
    pub(crate) fn add(&self, process: u32) -> io::Result<()> {
        fs::write(self.folder.join("cgroup.procs"), process.to_string())
    }

    /// # Errors
    ///
    /// If the system forbids it.
    pub(crate) fn impose(&self) -> io::Result<()> {
        match self.version {
            Version::One => {
                self.write("cpu.cfs_period_us", &PERIOD.to_string())?;
                self.write("cpu.cfs_quota_us", &QUOTA.to_string())
            }
            Version::Two => self.write("cpu.max", &format!("{QUOTA} {PERIOD}")),
        }
    }

    /// # Errors
    ///
    /// If the system forbids it.
    pub(crate) fn lift(&self) -> io::Result<()> {
        match self.version {
            Version::One => self.write("cpu.cfs_quota_us", "-1"),
            Version::Two => self.write("cpu.max", "max"),
        }
    }

    fn write(&self, file: &str, value: &str) -> io::Result<()> {
        fs::write(self.folder.join(file), value)
    }
}

impl Drop for Quota {
    /// Only empty groups can be removed. Others disappear with the machine.
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}
