//! Words that many messages need: counts with their noun, and what is wrong with a file or a connection.

use std::fmt::Display;
use std::io::ErrorKind;

/// A count with its noun: `1 row`, `2 rows`.
#[must_use]
pub fn counted(count: impl Into<u64>, one: &str, many: &str) -> String {
    let count = count.into();
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The form of a word that fits the count, for a sentence that has the count elsewhere.
#[must_use]
pub fn plural<'w>(count: impl Into<u64>, one: &'w str, many: &'w str) -> &'w str {
    if count.into() == 1 { one } else { many }
}

/// Entries, as people read them.
#[must_use]
pub fn patients(count: u64) -> String {
    counted(count, "patient or household", "patients or households")
}

/// Parts of a sentence: `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn listed(parts: &[impl Display]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.to_string(),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(ToString::to_string).collect();
            format!("{} and {last}", first.join(", "))
        }
    }
}

/// What the operating system says of a file, a folder or an address, in plain words. It completes "it cannot be read:
/// ".
#[must_use]
#[allow(clippy::wildcard_enum_match_arm, reason = "some of its variants cannot be named yet")]
pub fn io_problem(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "it does not exist",
        ErrorKind::PermissionDenied => "this user may not do that",
        ErrorKind::AlreadyExists => "it exists already",
        ErrorKind::IsADirectory => "it is a folder",
        ErrorKind::NotADirectory => "a part of its path is not a folder",
        ErrorKind::DirectoryNotEmpty => "the folder is not empty",
        ErrorKind::ReadOnlyFilesystem => "the disk is read-only",
        ErrorKind::StorageFull => "the disk is full",
        ErrorKind::QuotaExceeded => "this user may not use more of the disk",
        ErrorKind::FileTooLarge => "the file is too large",
        ErrorKind::InvalidFilename => "the name is not one that a file can have",
        ErrorKind::InvalidData => "its content is not what it should be",
        ErrorKind::UnexpectedEof => "it ends too early",
        ErrorKind::BrokenPipe => "the reader has stopped reading",
        ErrorKind::TimedOut => "it took too long",
        ErrorKind::Interrupted => "it was interrupted",
        ErrorKind::OutOfMemory => "there is no memory left",
        ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy | ErrorKind::WouldBlock | ErrorKind::Deadlock => {
            "another program uses it"
        }
        ErrorKind::AddrInUse => "another program uses that port",
        ErrorKind::AddrNotAvailable => "it is no address of this machine",
        ErrorKind::ConnectionRefused => "nothing answers there",
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::NotConnected => "the connection broke",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => "there is no way to it",
        ErrorKind::Unsupported => "this system cannot do that",
        ErrorKind::TooManyLinks => "its links lead nowhere",
        ErrorKind::CrossesDevices => "it is on another disk",
        ErrorKind::NotSeekable => "it can only be read from its beginning",
        ErrorKind::StaleNetworkFileHandle => "the network file system has lost it",
        // Kinds that a file or an address does not show, and those that cannot be named yet.
        _ => "the operating system reports an error",
    }
}

/// The same for an error, which may have words of this program's own.
#[must_use]
pub fn io_error(error: &std::io::Error) -> String {
    error.get_ref().map_or_else(|| io_problem(error.kind()).to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_the_singular_and_every_other_count_the_plural() {
        for (count, expected) in [(0_u64, "0 rows"), (1, "1 row"), (2, "2 rows")] {
            assert_eq!(counted(count, "row", "rows"), expected);
        }
        assert_eq!((patients(1).as_str(), plural(1_u32, "is", "are")), ("1 patient or household", "is"));
    }

    #[test]
    fn parts_are_joined_as_in_a_sentence() {
        let cases: [(&[&str], &str); 4] =
            [(&[], ""), (&["a"], "a"), (&["a", "b"], "a and b"), (&["a", "b", "c"], "a, b and c")];
        for (parts, expected) in cases {
            assert_eq!(listed(parts), expected);
        }
    }

    #[test]
    fn an_error_of_the_operating_system_has_plain_words() {
        for kind in [ErrorKind::NotFound, ErrorKind::PermissionDenied, ErrorKind::StorageFull, ErrorKind::Other] {
            let words = io_problem(kind);
            assert!(!words.contains("entity") && !words.contains("other error"), "{words}");
        }
        let of_the_system = std::io::Error::from_raw_os_error(2);
        assert_eq!(io_error(&of_the_system), "it does not exist");
        assert_eq!(io_error(&std::io::Error::other("not a loopback address")), "not a loopback address");
    }
}
