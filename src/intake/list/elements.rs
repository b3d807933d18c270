//! The values of a JSON text, one at a time: the elements of an array, or values that stand one after the other.
//!
//! It knows only as much JSON as it takes to find where a value ends (brackets, strings, escapes); whether the value is
//! well-formed is serde's business. No more than one value is in memory.

use std::io::{self, BufRead};

/// No export has a longer row; what claims to is not a list of rows.
pub(super) const LONGEST_VALUE: usize = 1 << 20;

/// A value's text and the line on which it starts.
#[derive(Debug)]
pub(super) struct Element<'a> {
    pub(super) line: u64,
    pub(super) text: &'a [u8],
}

/// Why there is no next value.
#[derive(Debug)]
pub(super) enum Broken {
    Io(io::Error),
    /// The text ends inside a value that starts on this line.
    Unfinished(u64),
    /// The value that starts on this line is longer than [`LONGEST_VALUE`].
    TooLong(u64),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads single bytes of a JSON text and counts its lines.
#[derive(Debug)]
pub(super) struct Scanner<R> {
    text: R,
    line: u64,
    value: Vec<u8>,
}

impl<R: BufRead> Scanner<R> {
    pub(super) fn new(text: R) -> Self {
        Self { text, line: 1, value: Vec::new() }
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.text.fill_buf()?.first().copied())
    }

    pub(super) fn skip(&mut self, byte: u8) {
        self.line += u64::from(byte == b'\n');
        self.text.consume(1);
    }

    /// The next byte that is neither white space nor in `also`, not yet consumed.
    pub(super) fn next_of_value(&mut self, also: &[u8]) -> io::Result<Option<u8>> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() && !also.contains(&byte) {
                return Ok(Some(byte));
            }
            self.skip(byte);
        }
        Ok(None)
    }

    /// Reads one value that starts at the next byte.
    pub(super) fn element(&mut self) -> Result<Element<'_>, Broken> {
        let line = self.line;
        self.value.clear();
        let mut nesting = Nesting::default();
        loop {
            let Some(byte) = self.peek()? else {
                return if nesting.is_open() { Err(Broken::Unfinished(line)) } else { Ok(self.taken(line)) };
            };
            if nesting.ends_before(byte) {
                return Ok(self.taken(line));
            }
            self.skip(byte);
            self.value.push(byte);
            nesting.pass(byte);
            if nesting.is_complete() {
                return Ok(self.taken(line));
            }
            if self.value.len() > LONGEST_VALUE {
                return Err(Broken::TooLong(line));
            }
        }
    }

    fn taken(&self, line: u64) -> Element<'_> {
        Element { line, text: &self.value }
    }

    /// Reads over one value without keeping it.
    pub(super) fn skip_value(&mut self) -> Result<(), Broken> {
        let line = self.line;
        let mut nesting = Nesting::default();
        while let Some(byte) = self.peek()? {
            if nesting.ends_before(byte) {
                return Ok(());
            }
            self.skip(byte);
            nesting.pass(byte);
            if nesting.is_complete() {
                return Ok(());
            }
        }
        if nesting.is_open() { Err(Broken::Unfinished(line)) } else { Ok(()) }
    }
}

/// How deep in a value the reader stands.
#[derive(Debug, Default)]
struct Nesting {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// A string, an object or an array has just been closed at depth 0.
    closed: bool,
}

impl Nesting {
    fn pass(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => (self.in_string, self.closed) = (false, self.depth == 0),
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.closed = self.depth == 0;
            }
            _ => {}
        }
    }

    fn is_open(&self) -> bool {
        self.in_string || self.depth > 0
    }

    fn is_complete(&self) -> bool {
        self.closed
    }

    /// Numbers and words end before what follows them.
    fn ends_before(&self, byte: u8) -> bool {
        !self.is_open() && (byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}'))
    }
}
