//! No core dumps: what the program has in its memory, keys and patients' data, is never written to a disk or sent to a crash
//! reporter when it fails.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids them for this process, before it has read anything. A system that does not let it is none that the program
/// could not run on, and it is said in the log.
pub(super) fn forbid() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // A crash reporter that the kernel pipes cores to ignores the limit, but not this.
    if let Err(error) = setrlimit(Resource::Core, none).and_then(|()| not_dumpable()) {
        tracing::warn!("core dumps cannot be turned off ({error}): keys and patients' data could end up in one");
    }
}

/// Other processes of the same user cannot look into this one either.
#[cfg(target_os = "linux")]
fn not_dumpable() -> rustix::io::Result<()> {
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
}

#[cfg(not(target_os = "linux"))]
fn not_dumpable() -> rustix::io::Result<()> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn the_kernel_writes_no_core_of_this_process() {
        super::forbid();
        assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    }
}
