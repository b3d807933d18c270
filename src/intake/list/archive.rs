//! Whether a workbook may be unpacked: every part of the archive is inflated once, counted and thrown away, before a reader
//! that keeps shared strings and styles in memory sees it. Nothing that the archive says about its own sizes is believed.
//!
//! The limits are far above what spreadsheets write: a sheet of a million rows passes.

use std::io::{BufRead, BufReader, Read};

use zip::ZipArchive;

use super::elements::LONGEST_VALUE;
use super::source::{Bytes, Origin};
use crate::intake::problem::{ListProblem, NotAList};

/// All parts together unpack to this many bytes at most: a million rows of ten columns take half of it.
const MOST_UNPACKED: u64 = 1 << 30;

/// All parts together unpack to at most this many times the file's size, and a little for small ones. Sheets shrink to a
/// tenth, or a fiftieth where they repeat themselves.
const MOST_TIMES: u64 = 100;

/// All parts together have this many elements at most: a million rows of eighteen cells are below it.
const MOST_ELEMENTS: u64 = 40_000_000;

/// A sheet has this many rows at most: Excel's own limit is 1,048,576.
const MOST_ROWS: u64 = 1 << 20;

/// A part that is no XML (pictures) has this many bytes at most.
const MOST_BINARY: u64 = 16 << 20;

/// A tag, with its attributes, has this many bytes at most.
const LONGEST_TAG: usize = 1 << 16;

/// What a reader of the workbook keeps in memory, as it is estimated here: three million shared strings are below it.
const MOST_KEPT: u64 = 200 << 20;

/// What one kept element takes in memory besides its texts.
const ELEMENT: u64 = 64;

/// What a cell style takes besides the texts that are copied into it.
const STYLE: u64 = 768;

const BOMB: ListProblem = ListProblem::NotText(NotAList::Bomb);

/// Refuses a workbook that unpacks to more than any list would.
pub(super) fn refuse_a_bomb(origin: &Origin) -> Result<(), ListProblem> {
    let most = origin.size()?.saturating_mul(MOST_TIMES).saturating_add(4 << 20).min(MOST_UNPACKED);
    // Whatever else is wrong with the archive, the reader of the workbook says.
    let Ok(mut archive) = ZipArchive::new(origin.bytes()?) else { return Ok(()) };
    let mut found = Found { left: most, ..Found::default() };
    for at in 0..archive.len() {
        found.part(&mut archive, at)?;
    }
    let rereads = found.sheets.saturating_mul(found.largest);
    if found.kept() > MOST_KEPT || rereads > MOST_UNPACKED.saturating_add(2 * (most - found.left)) {
        return Err(BOMB);
    }
    Ok(())
}

/// What has been found so far.
#[derive(Default)]
struct Found {
    /// Bytes that may still be unpacked.
    left: u64,
    /// The bytes of the largest part.
    largest: u64,
    /// Entries of the workbook's directory of sheets: each may lead to the largest part.
    sheets: u64,
    elements: u64,
    /// Rows of the part that is being read.
    rows: u64,
    kept: u64,
    styles: u64,
    /// The longest text that is copied into every style.
    longest_style_text: u64,
}

/// In whose text the scan is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// A cell, a shared string or another element whose text is put together.
    Text { is_kept: bool, so_far: u64 },
    /// What is between two tags counts by itself.
    Anything { so_far: u64 },
}

impl Found {
    fn kept(&self) -> u64 {
        self.kept.saturating_add(self.styles.saturating_mul(STYLE + 2 * self.longest_style_text))
    }

    fn part(&mut self, archive: &mut ZipArchive<Bytes>, at: usize) -> Result<(), ListProblem> {
        let part = archive.by_index(at).map_err(|_| ListProblem::Damaged)?;
        let name = part.name().map_err(|_| ListProblem::Damaged)?.to_ascii_lowercase();
        let before = self.left;
        let mut text = BufReader::with_capacity(1 << 16, part.take(self.left + 1));
        let start = text.fill_buf().map_err(|_| ListProblem::Damaged)?;
        if start.starts_with(b"\xFF\xFE")
            || start.starts_with(b"\xFE\xFF")
            || start.iter().take(4).any(|byte| *byte == 0)
        {
            // UTF-16 hides from this scan what the reader of the workbook would understand.
            let is_xml = is_xml_name(&name) || start.iter().take(4).any(|byte| *byte == b'<');
            return if is_xml { Err(ListProblem::Damaged) } else { self.binary(text) };
        }
        let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
        if is_xml_name(&name) || start.first() == Some(&b'<') {
            self.xml(text)?;
        } else {
            self.binary(text)?;
        }
        self.largest = self.largest.max(before - self.left);
        Ok(())
    }

    fn binary(&mut self, mut part: impl Read) -> Result<(), ListProblem> {
        let mut most = part.by_ref().take(MOST_BINARY.min(self.left) + 1);
        let size = std::io::copy(&mut most, &mut std::io::sink()).map_err(|_| ListProblem::Damaged)?;
        if size > MOST_BINARY { Err(BOMB) } else { self.unpacked(size) }
    }

    fn unpacked(&mut self, bytes: u64) -> Result<(), ListProblem> {
        self.left = self.left.checked_sub(bytes).ok_or(BOMB)?;
        Ok(())
    }

    fn xml(&mut self, mut part: impl BufRead) -> Result<(), ListProblem> {
        self.rows = 0;
        let mut scan =
            Scan { at: At::Text, inside: Inside::Anything { so_far: 0 }, tag: Vec::new(), seen: 0, quote: None };
        loop {
            let chunk = part.fill_buf().map_err(|_| ListProblem::Damaged)?;
            if chunk.is_empty() {
                return Ok(());
            }
            let length = chunk.len();
            self.unpacked(length as u64)?;
            self.chunk(chunk, &mut scan)?;
            part.consume(length);
        }
    }

    /// Goes on with the scan of a part.
    fn chunk(&mut self, mut rest: &[u8], scan: &mut Scan) -> Result<(), ListProblem> {
        while !rest.is_empty() {
            let end = if scan.at == At::Text { b'<' } else { b'>' };
            let found = rest.iter().position(|byte| *byte == end);
            let (piece, behind) = rest.split_at(found.unwrap_or(rest.len()));
            rest = behind.get(1..).unwrap_or_default();
            if scan.at == At::Text {
                self.text(&mut scan.inside, piece.len())?;
                if found.is_some() {
                    scan.at = At::Tag;
                }
                continue;
            }
            scan.tag.extend_from_slice(piece);
            let most = if scan.tag.starts_with(b"!") { LONGEST_VALUE } else { LONGEST_TAG };
            if scan.tag.len() > most {
                return Err(BOMB);
            }
            if found.is_none() {
            } else if scan.is_whole() {
                self.whole(&scan.tag, &mut scan.inside)?;
                (scan.at, scan.seen, scan.quote) = (At::Text, 0, None);
                scan.tag.clear();
            } else {
                scan.tag.push(b'>');
            }
        }
        Ok(())
    }

    /// Whatever stands between `<` and `>`.
    fn whole(&mut self, tag: &[u8], inside: &mut Inside) -> Result<(), ListProblem> {
        match tag {
            [b'!', b'-' | b'[', ..] => self.text(inside, tag.len()),
            // No spreadsheet writes a document type, which may define endless entities.
            [b'!', ..] => Err(ListProblem::Damaged),
            [b'?', ..] => Ok(()),
            [b'/', end @ ..] => {
                if matches!(local_name(end), b"c" | b"si" | b"definedName") {
                    *inside = Inside::Anything { so_far: 0 };
                }
                Ok(())
            }
            _ => self.tag(tag, inside),
        }
    }

    /// Text between tags.
    fn text(&mut self, inside: &mut Inside, length: usize) -> Result<(), ListProblem> {
        let length = length as u64;
        let (so_far, is_kept) = match inside {
            Inside::Text { is_kept, so_far } => (so_far, *is_kept),
            Inside::Anything { so_far } => (so_far, false),
        };
        *so_far += length;
        self.kept += if is_kept { length } else { 0 };
        if *so_far > LONGEST_VALUE as u64 { Err(BOMB) } else { Ok(()) }
    }

    /// The start of an element.
    fn tag(&mut self, tag: &[u8], inside: &mut Inside) -> Result<(), ListProblem> {
        let length = tag.len() as u64;
        self.elements += 1;
        let name = local_name(tag);
        if matches!(name, b"c" | b"row" | b"dimension" | b"mergeCell") && !is_of_a_sheet(tag) {
            return Err(ListProblem::Damaged);
        }
        match name {
            b"c" => *inside = Inside::Text { is_kept: false, so_far: 0 },
            b"row" => self.rows += 1,
            b"si" => {
                *inside = Inside::Text { is_kept: true, so_far: 0 };
                self.kept += ELEMENT;
            }
            // So much room is made at once.
            b"sst" if announced(tag) > MOST_KEPT / ELEMENT => return Err(BOMB),
            b"xf" => self.styles += 1,
            b"sheet" => {
                self.sheets += 1;
                self.kept += 4 * ELEMENT + length;
            }
            b"name" | b"numFmt" => {
                self.longest_style_text = self.longest_style_text.max(length);
                self.kept += ELEMENT + length;
            }
            b"font" | b"fill" | b"border" | b"Relationship" => self.kept += 4 * ELEMENT + length,
            b"definedName" => {
                self.kept += 2 * ELEMENT + length;
                *inside = Inside::Text { is_kept: true, so_far: 0 };
            }
            _ => {}
        }
        if let Inside::Anything { so_far } = inside {
            *so_far = 0;
        }
        let is_too_much = self.kept() > MOST_KEPT || self.elements > MOST_ELEMENTS || self.rows > MOST_ROWS;
        if is_too_much { Err(BOMB) } else { Ok(()) }
    }
}

/// Where in a part the scan stands.
struct Scan {
    at: At,
    inside: Inside,
    /// What has been read of the tag.
    tag: Vec<u8>,
    /// How much of it has been looked through for quotes.
    seen: usize,
    /// The quote that is open then: the value of an attribute may hold a `>`.
    quote: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Text,
    Tag,
}

impl Scan {
    /// Whether the `>` behind the tag ends it.
    fn is_whole(&mut self) -> bool {
        let tag = &self.tag;
        match tag.as_slice() {
            [b'!', b'-', ..] => tag.len() >= 5 && tag.ends_with(b"--"),
            [b'!', b'[', ..] => tag.ends_with(b"]]"),
            [b'?', ..] => tag.len() >= 2 && tag.ends_with(b"?"),
            [b'!' | b'/', ..] => true,
            _ => {
                self.quote = open_quote(self.quote, &tag[self.seen..]);
                // The `>` that is put behind it is none.
                self.seen = tag.len();
                self.quote.is_none()
            }
        }
    }
}

fn is_xml_name(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, kind)| matches!(kind, "xml" | "rels"))
}

/// An element's name, without its namespace.
fn local_name(tag: &[u8]) -> &[u8] {
    let end = tag.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'/').unwrap_or(tag.len());
    let name = &tag[..end];
    name.iter().position(|byte| *byte == b':').map_or(name, |at| &name[at + 1..])
}

/// The quote that is open behind a piece of a tag: the value of an attribute may hold a `>`.
fn open_quote(before: Option<u8>, piece: &[u8]) -> Option<u8> {
    let open = |open: Option<u8>, byte: &u8| match (open, byte) {
        (None, b'"' | b'\'') => Some(*byte),
        (Some(quote), byte) if quote == *byte => None,
        (open, _) => open,
    };
    piece.iter().fold(before, open)
}

/// Whether the cells that an element names (`r="B7"`, `r="7"`, `ref="A1:C9"`) are cells that a sheet has: at most three
/// letters and seven digits. A reader that counts on without looking gets lost in others.
fn is_of_a_sheet(tag: &[u8]) -> bool {
    attributes(tag).filter(|(name, _)| matches!(*name, b"r" | b"ref")).all(|(_, value)| {
        value.split(|byte| *byte == b':').all(|cell| {
            let letters = cell.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            let digits = &cell[letters..];
            letters <= 3 && digits.len() <= 7 && digits.iter().all(u8::is_ascii_digit)
        })
    })
}

/// The attributes of a tag: their names, and their values as they are written.
fn attributes(tag: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = tag;
    std::iter::from_fn(move || {
        let equals = rest.iter().position(|byte| *byte == b'=')?;
        let name = rest[..equals].trim_ascii_end();
        let name = name.rsplit(u8::is_ascii_whitespace).next().unwrap_or(name);
        let value = rest[equals + 1..].trim_ascii_start();
        let (quote, value) = value.split_first()?;
        let end = value.iter().position(|byte| byte == quote)?;
        rest = &value[end + 1..];
        Some((name, &value[..end]))
    })
}

/// How many shared strings a workbook says that it has.
fn announced(tag: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(tag);
    let counts = text.split("uniqueCount").skip(1);
    let digits = counts.map(|count| {
        let value = count.trim_start_matches(|c: char| !c.is_ascii_digit());
        value
            .bytes()
            .take_while(u8::is_ascii_digit)
            .fold(0_u64, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
    });
    digits.max().unwrap_or(0)
}
