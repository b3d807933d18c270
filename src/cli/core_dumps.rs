//! Disables core dumps: credentials and patients' data in memory are never written to disk or sent to a crash reporter.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Disables core dumps for this process, before it reads anything. If the system refuses, the program logs a warning
/// and continues.
pub(super) fn disable() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // A crash reporter to which the kernel pipes cores ignores the limit, but not the dumpable flag.
    if let Err(error) = setrlimit(Resource::Core, none).and_then(|()| not_dumpable()) {
        tracing::warn!(
            "core dumps cannot be disabled ({error}): a core dump could contain credentials and patients' data"
        );
    }
}

/// Also keeps other processes of the same user from reading this one's memory.
#[cfg(target_os = "linux")]
fn not_dumpable() -> rustix::io::Result<()> {
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
}

#[cfg(not(target_os = "linux"))]
fn not_dumpable() -> rustix::io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn the_kernel_writes_no_core_of_this_process() {
        super::disable();
        assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    }
}
