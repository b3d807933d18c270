//! Files that somebody names, read without letting them fill the memory: a device, or another file by mistake, ends soon.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// The longest campaign, or people file, in bytes: ten thousand locations are far below it.
const LONGEST_TEXT: u64 = 16 << 20;

/// A whole text in UTF-8. `FileTooLarge` for more than 16 MiB.
pub fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST_TEXT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST_TEXT { Err(ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}

/// Passes bytes on until a line is longer than `longest`, which is `FileTooLarge`.
#[derive(Debug)]
pub struct ShortLines<R> {
    from: R,
    longest: usize,
    so_far: usize,
}

impl<R: Read> ShortLines<R> {
    /// What `from` has, by lines of at most `longest` bytes.
    pub fn of(from: R, longest: usize) -> Self {
        Self { from, longest, so_far: 0 }
    }
}

impl<R: Read> Read for ShortLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        for (at, line) in buffer[..read].split(|byte| matches!(byte, b'\n' | b'\r')).enumerate() {
            self.so_far = line.len() + if at == 0 { self.so_far } else { 0 };
            if self.so_far > self.longest {
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
    fn lines_may_be_many_and_not_long_however_they_are_cut() {
        for (text, is_fine) in
            [("aaaa\n".repeat(100), true), ("aaaa\naaaaaa\n".into(), false), ("aaaaaa".into(), false)]
        {
            for piece in [1, 2, 3, 64] {
                let mut lines = ShortLines::of(text.as_bytes(), 5);
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
    fn a_text_that_never_ends_is_too_large() {
        assert_eq!(read_text(Path::new("/dev/zero")).map_err(|error| error.kind()), Err(ErrorKind::FileTooLarge));
    }
}
