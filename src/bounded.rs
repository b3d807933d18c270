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

/// A reader that fails with `FileTooLarge` at a line of more than `max_line` bytes.
#[derive(Debug)]
pub struct LineLimitedReader<R> {
    inner: R,
    max_line: usize,
    /// Bytes of the current line read so far.
    line_length: usize,
}

impl<R: Read> LineLimitedReader<R> {
    /// Reads `inner`, whose lines may have at most `max_line` bytes.
    pub fn new(inner: R, max_line: usize) -> Self {
        Self { inner, max_line, line_length: 0 }
    }
}

impl<R: Read> Read for LineLimitedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        for (at, line) in buffer[..read].split(|byte| matches!(byte, b'\n' | b'\r')).enumerate() {
            self.line_length = line.len() + if at == 0 { self.line_length } else { 0 };
            if self.line_length > self.max_line {
                return Err(ErrorKind::FileTooLarge.into());
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_not_be_too_long_however_it_is_read() {
        for (text, is_fine) in
            [("aaaa\n".repeat(100), true), ("aaaa\naaaaaa\n".into(), false), ("aaaaaa".into(), false)]
        {
            for piece in [1, 2, 3, 64] {
                let mut lines = LineLimitedReader::new(text.as_bytes(), 5);
                let (mut buffer, mut seen) = (vec![0; piece], 0);
                let ended = loop {
                    match lines.read(&mut buffer) {
                        Ok(0) => break Ok(seen),
                        Ok(read) => seen += read,
                        Err(error) => break Err(error.kind()),
                    }
                };
                assert_eq!(ended.is_ok(), is_fine, "{text:?} {piece}");
                assert!(!is_fine || ended == Ok(text.len()), "{text:?} {piece}");
            }
        }
    }

    #[test]
    fn an_endless_text_is_too_large() {
        assert_eq!(read_text(Path::new("/dev/zero")).map_err(|error| error.kind()), Err(ErrorKind::FileTooLarge));
    }
}
