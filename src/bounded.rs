//! Bounded reading of files named by a person, so that a device or a wrong file cannot fill the memory.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// The greatest size of a campaign or people file, in bytes; ten thousand locations need far less.
const MAX_TEXT_SIZE: u64 = 16 << 20;

/// Reads a whole UTF-8 text of at most 16 MiB.
///
/// # Errors
/// `FileTooLarge` for a larger file, or the error of the file system.
pub fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_TEXT_SIZE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_TEXT_SIZE { Err(ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_text_is_too_large() {
        assert_eq!(read_text(Path::new("/dev/zero")).map_err(|error| error.kind()), Err(ErrorKind::FileTooLarge));
    }
}
