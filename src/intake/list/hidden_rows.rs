//! Which rows of a sheet of an Excel workbook (`.xlsx`) are hidden, by a filter or by hand. (calamine does not say.)

use std::collections::{HashMap, HashSet};
use std::io::BufReader;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::source::{ListBytes, ListOrigin};
use crate::intake::error::ListError;

/// The numbers of the hidden rows of the sheet with this name, counted from 1. Empty if the sheet's part is not found,
/// which calamine reports.
pub(super) fn hidden_rows(origin: &ListOrigin, sheet: &str) -> Result<HashSet<u64>, ListError> {
    let mut archive = ZipArchive::new(origin.bytes()?).map_err(|_| ListError::Damaged)?;
    let (mut hidden, mut number) = (HashSet::new(), 0);
    let Some(part) = sheet_part(&mut archive, sheet)? else { return Ok(hidden) };
    for_each_tag(&mut archive, &part, |tag| {
        if tag.local_name().as_ref() == "row" {
            number = attribute(tag, "r").and_then(|number| number.parse().ok()).unwrap_or(number + 1);
            let is_flat = || attribute(tag, "ht").and_then(|height| height.parse::<f64>().ok()) == Some(0.0);
            if attribute(tag, "hidden").is_some_and(|hidden| hidden == "1" || hidden == "true") || is_flat() {
                hidden.insert(number);
            }
        }
    })?;
    Ok(hidden)
}

/// The part of the archive that holds the sheet.
fn sheet_part(archive: &mut ZipArchive<ListBytes>, sheet: &str) -> Result<Option<String>, ListError> {
    let Some(book) = part_named(archive, |name| name.ends_with("workbook.xml")) else { return Ok(None) };
    let Some(folder) = book.get(..book.len() - "workbook.xml".len()) else { return Ok(None) };
    let relations = format!("{folder}_rels/workbook.xml.rels").to_lowercase();
    let Some(relations) = part_named(archive, |name| name == relations) else { return Ok(None) };
    let mut id = None;
    for_each_tag(archive, &book, |tag| {
        if tag.local_name().as_ref() == "sheet" && attribute(tag, "name").as_deref() == Some(sheet) {
            id = attribute(tag, "id");
        }
    })?;
    let mut targets = HashMap::new();
    for_each_tag(archive, &relations, |tag| {
        targets.extend(attribute(tag, "Id").zip(attribute(tag, "Target")));
    })?;
    let target = id.and_then(|id| targets.remove(&id));
    let path = target.map(|target| match target.strip_prefix('/') {
        Some(whole) => whole.to_lowercase(),
        None => format!("{folder}{target}").to_lowercase(),
    });
    Ok(path.and_then(|path| part_named(archive, |name| name == path)))
}

/// The name of the part that the test accepts: names are compared without case, and with `/`.
fn part_named(archive: &ZipArchive<ListBytes>, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
    let names = archive.file_names().filter_map(Result::ok);
    names.map(|name| name.to_string()).find(|name| is_wanted(&name.to_lowercase().replace('\\', "/")))
}

fn for_each_tag(
    archive: &mut ZipArchive<ListBytes>,
    part: &str,
    mut on_tag: impl FnMut(&BytesStart<'_>),
) -> Result<(), ListError> {
    let content = archive.by_name(part).map_err(|_| ListError::Damaged)?;
    let mut reader = Reader::from_reader(BufReader::new(content));
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|_| ListError::Damaged)?;
        if let Event::Start(tag) | Event::Empty(tag) = &event {
            on_tag(tag);
        }
        if matches!(event, Event::Eof) {
            return Ok(());
        }
    }
}

/// The unescaped value of the attribute with this local name.
fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = tag.attributes().filter_map(Result::ok);
    let found = attributes.find(|attribute| attribute.key.local_name().as_ref() == name)?;
    Some(unescape(&found.value).ok()?.into_owned())
}
