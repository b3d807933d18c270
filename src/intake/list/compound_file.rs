//! Compound files (OLE 2), the container of `.xls`: files with streams in chains of sectors. Chains that never end, and
//! sectors outside the file, are refused.

use std::io::Read;

use super::source::ListOrigin;
use crate::intake::error::{ListError, UnsupportedFormat};

/// The first bytes of a compound file.
const MAGIC: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// The maximum size in bytes: a full sheet of 65,536 rows of twenty columns has fewer.
const MAX_SIZE: u64 = 32 << 20;

/// Sector numbers from this one on are not sectors.
const FIRST_RESERVED: u32 = 0xffff_fffa;

/// The size of a directory entry, in bytes.
const ENTRY: usize = 128;

/// Streams shorter than this are in the mini stream, in sectors of [`MINI_SECTOR`] bytes.
const MINI_CUTOFF: usize = 4_096;
const MINI_SECTOR: usize = 64;

/// A compound file in memory.
pub(super) struct CompoundFile {
    bytes: Vec<u8>,
    sector: usize,
    /// The next sector of each sector.
    next: Vec<u32>,
    entries: Vec<Entry>,
}

/// A stream, or the root of all.
struct Entry {
    name: String,
    is_root: bool,
    start: u32,
    size: usize,
}

impl CompoundFile {
    /// Reads `origin`; `None` if it is not a compound file.
    pub(super) fn open(origin: &ListOrigin) -> Result<Option<Self>, ListError> {
        if !origin.starts_with(&MAGIC)? {
            return Ok(None);
        }
        if origin.size()? > MAX_SIZE {
            return Err(ListError::NotText(UnsupportedFormat::OldWorkbook));
        }
        let mut bytes = Vec::new();
        origin.bytes()?.take(MAX_SIZE).read_to_end(&mut bytes)?;
        Self::parse(bytes).ok_or(ListError::NotText(UnsupportedFormat::OldWorkbook)).map(Some)
    }

    fn parse(bytes: Vec<u8>) -> Option<Self> {
        let sector = match u16_at(&bytes, 30)? {
            9 => 512,
            12 => 4_096,
            _ => return None,
        };
        let mut file = Self { bytes, sector, next: Vec::new(), entries: Vec::new() };
        file.next = file.sector_table()?;
        let directory = file.chain(u32_at(&file.bytes, 48)?)?;
        file.entries = directory.chunks_exact(ENTRY).filter_map(|entry| parse_entry(entry, sector)).collect();
        Some(file)
    }

    fn sectors(&self) -> usize {
        self.bytes.len() / self.sector
    }

    /// The bytes of a sector; the last one may be cut short.
    fn sector(&self, number: u32) -> Option<&[u8]> {
        let start = (number as usize).checked_add(1)?.checked_mul(self.sector)?;
        self.bytes.get(start..self.bytes.len().min(start + self.sector)).filter(|sector| !sector.is_empty())
    }

    /// The table of each sector's next one. Its own sectors are listed in the header, and in further sectors.
    fn sector_table(&self) -> Option<Vec<u32>> {
        let mut listed: Vec<u32> = numbers(self.bytes.get(76..512)?);
        let mut more = u32_at(&self.bytes, 68)?;
        for _ in 0..=self.sectors() {
            if more >= FIRST_RESERVED {
                let tables = listed.iter().filter(|number| **number < FIRST_RESERVED);
                return tables
                    .take(self.sectors())
                    .map(|number| Some(numbers(self.sector(*number)?)))
                    .collect::<Option<Vec<_>>>()
                    .map(|tables| tables.concat());
            }
            listed.extend(numbers(self.sector(more)?));
            more = listed.pop()?;
        }
        None
    }

    /// The bytes of the sectors from `start` on.
    fn chain(&self, start: u32) -> Option<Vec<u8>> {
        let (mut number, mut bytes) = (start, Vec::new());
        for _ in 0..=self.sectors() {
            if number >= FIRST_RESERVED {
                return Some(bytes);
            }
            bytes.extend_from_slice(self.sector(number)?);
            number = *self.next.get(number as usize)?;
        }
        None
    }

    /// Whether there is a stream of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// The content of a stream.
    pub(super) fn stream(&self, name: &str) -> Option<Vec<u8>> {
        let entry = self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))?;
        let mut bytes = if entry.size < MINI_CUTOFF { self.mini_chain(entry)? } else { self.chain(entry.start)? };
        bytes.truncate(entry.size);
        Some(bytes)
    }

    fn mini_chain(&self, entry: &Entry) -> Option<Vec<u8>> {
        let root = self.entries.iter().find(|entry| entry.is_root)?;
        let (stream, next) = (self.chain(root.start)?, numbers(&self.chain(u32_at(&self.bytes, 60)?)?));
        let (mut number, mut bytes) = (entry.start, Vec::new());
        while number < FIRST_RESERVED && bytes.len() < entry.size {
            let start = (number as usize).checked_mul(MINI_SECTOR)?;
            bytes.extend_from_slice(stream.get(start..start + MINI_SECTOR)?);
            number = *next.get(number as usize)?;
        }
        Some(bytes)
    }
}

fn parse_entry(entry: &[u8], sector: usize) -> Option<Entry> {
    let name: Vec<u16> = entry.get(..64)?.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let name = String::from_utf16_lossy(&name);
    let name = name.split('\0').next().unwrap_or_default().to_owned();
    // Small-sector files leave the upper half of the size undefined.
    let high = if sector == 512 { 0 } else { u32_at(entry, 124)? };
    if high > 0 {
        return None;
    }
    Some(Entry {
        name,
        is_root: entry.get(66) == Some(&5),
        start: u32_at(entry, 116)?,
        size: u32_at(entry, 120)? as usize,
    })
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect()
}

/// The number at an offset, in two bytes.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// The number at an offset, in four bytes.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
