//! The strings of Excel 97 workbooks.

use super::compound_file::u16_at;

/// The characters have two bytes, not one.
const WIDE: u8 = 1;
/// Data on pronunciation follow the characters.
const EXTENDED: u8 = 4;
/// Data on fonts follow the characters.
const RICH: u8 = 8;

/// Decodes `length` characters, or as many as there are.
pub(super) fn decode(bytes: &[u8], length: usize, flags: u8) -> String {
    let mut text = String::new();
    push(&mut text, bytes, length, flags);
    text
}

/// Decodes at most `length` characters; returns the number of characters and of bytes.
fn push(text: &mut String, bytes: &[u8], length: usize, flags: u8) -> (usize, usize) {
    if flags & WIDE == 0 {
        let bytes = &bytes[..length.min(bytes.len())];
        text.extend(bytes.iter().map(|byte| char::from(*byte)));
        return (bytes.len(), bytes.len());
    }
    let units: Vec<u16> =
        bytes.chunks_exact(2).take(length).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    text.push_str(&String::from_utf16_lossy(&units));
    (units.len(), units.len() * 2)
}

/// The string at an offset, with its length in front.
pub(super) fn string_at(bytes: &[u8], at: usize) -> String {
    let (Some(length), Some(flags)) = (u16_at(bytes, at), bytes.get(at + 2)) else { return String::new() };
    let fonts = if flags & RICH == 0 { 0 } else { 2 };
    let extension = if flags & EXTENDED == 0 { 0 } else { 4 };
    decode(bytes.get(at + 3 + fonts + extension..).unwrap_or_default(), usize::from(length), *flags)
}

/// The strings that cells refer to by number.
#[derive(Default)]
pub(super) struct SharedStrings {
    /// All texts, one after the other.
    text: String,
    /// The end of each text.
    ends: Vec<usize>,
}

impl SharedStrings {
    /// Reads the strings from a record and those that continue it.
    pub(super) fn read(records: &[&[u8]]) -> Self {
        let mut strings = Self::default();
        let mut reader = SharedReader { records, record: 0, at: 8 };
        while reader.read_into(&mut strings.text).is_some() {
            strings.ends.push(strings.text.len());
        }
        strings
    }

    pub(super) fn get(&self, at: usize) -> Option<&str> {
        let start = if at == 0 { 0 } else { *self.ends.get(at - 1)? };
        self.text.get(start..*self.ends.get(at)?)
    }
}

/// The position in the records of the shared strings.
struct SharedReader<'r> {
    records: &'r [&'r [u8]],
    record: usize,
    at: usize,
}

impl SharedReader<'_> {
    /// Appends the next string; `None` at the end.
    fn read_into(&mut self, text: &mut String) -> Option<()> {
        let mut left = usize::from(u16::from_le_bytes([self.byte()?, self.byte()?]));
        let mut flags = self.byte()?;
        let fonts = if flags & RICH == 0 { 0 } else { usize::from(u16::from_le_bytes([self.byte()?, self.byte()?])) };
        let extension = if flags & EXTENDED == 0 {
            0
        } else {
            u32::from_le_bytes([self.byte()?, self.byte()?, self.byte()?, self.byte()?]) as usize
        };
        while left > 0 {
            let record = *self.records.get(self.record)?;
            let rest = record.get(self.at..).unwrap_or_default();
            let (characters, bytes) = push(text, rest, left, flags);
            left -= characters;
            self.at += bytes;
            if left > 0 {
                // The string goes on in the next record, whose first byte says how.
                (self.record, self.at) = (self.record + 1, 1);
                flags = *self.records.get(self.record)?.first()?;
            }
        }
        self.skip(fonts.checked_mul(4)?.checked_add(extension)?);
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        loop {
            let record = self.records.get(self.record)?;
            if let Some(byte) = record.get(self.at) {
                self.at += 1;
                return Some(*byte);
            }
            (self.record, self.at) = (self.record + 1, 0);
        }
    }

    fn skip(&mut self, mut bytes: usize) {
        while let Some(record) = self.records.get(self.record) {
            let rest = record.len().saturating_sub(self.at);
            if bytes <= rest {
                self.at += bytes;
                return;
            }
            bytes -= rest;
            (self.record, self.at) = (self.record + 1, 0);
        }
    }
}
