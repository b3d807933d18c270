//! Files that are no lists, recognised by their first bytes, so that each is refused by its right name.

use crate::intake::error::UnsupportedFormat;

/// The first bytes of formats whose content is not text.
const MAGIC: [(&[u8], UnsupportedFormat); 34] = [
    (b"\xd0\xcf\x11\xe0", UnsupportedFormat::OldWorkbook),
    (b"\x09\x08", UnsupportedFormat::OldWorkbook),
    (b"\x09\x04", UnsupportedFormat::OldWorkbook),
    (b"\x1f\x8b", UnsupportedFormat::Compressed),
    (b"7z\xbc\xaf\x27\x1c", UnsupportedFormat::OtherArchive),
    (b"Rar!", UnsupportedFormat::OtherArchive),
    (b"BZh", UnsupportedFormat::OtherArchive),
    (b"\xfd7zXZ", UnsupportedFormat::OtherArchive),
    (b"\x28\xb5\x2f\xfd", UnsupportedFormat::OtherArchive),
    (b"\x1f\x9d", UnsupportedFormat::OtherArchive),
    (b"%PDF", UnsupportedFormat::Pdf),
    (b"{\\rtf", UnsupportedFormat::Document),
    (b"%!PS", UnsupportedFormat::Document),
    (b"PAR1", UnsupportedFormat::Columnar),
    (b"ARROW1", UnsupportedFormat::Columnar),
    (b"FEA1", UnsupportedFormat::Columnar),
    (b"Obj\x01", UnsupportedFormat::Columnar),
    (b"ORC", UnsupportedFormat::Columnar),
    (b"SQLite format 3", UnsupportedFormat::Database),
    (b"\x00\x01\x00\x00Standard Jet DB", UnsupportedFormat::Database),
    (b"\x00\x01\x00\x00Standard ACE DB", UnsupportedFormat::Database),
    (b"\x89PNG", UnsupportedFormat::Picture),
    (b"\xff\xd8\xff", UnsupportedFormat::Picture),
    (b"GIF8", UnsupportedFormat::Picture),
    (b"II*\x00", UnsupportedFormat::Picture),
    (b"MM\x00*", UnsupportedFormat::Picture),
    (b"BM", UnsupportedFormat::Picture),
    (b"RIFF", UnsupportedFormat::Picture),
    (b"\x00\x00\x01\x00", UnsupportedFormat::Picture),
    (b"MSH|", UnsupportedFormat::Hl7),
    (b"FHS|", UnsupportedFormat::Hl7),
    (b"BHS|", UnsupportedFormat::Hl7),
    (b"\x0bMSH|", UnsupportedFormat::Hl7),
    (b"bplist0", UnsupportedFormat::Binary),
];

/// The bytes at the start in which the kind of a markup file is searched.
const MARKUP_SAMPLE: usize = 4_096;

/// Recognises a file that is not a list by its first bytes.
pub(super) fn unsupported_format(start: &[u8]) -> Option<UnsupportedFormat> {
    let magic = MAGIC.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, format)| *format);
    // `BM`, `ORC` and the like may also start a text.
    let magic = magic.filter(|format| {
        let may_be_text = matches!(format, UnsupportedFormat::Picture | UnsupportedFormat::Columnar);
        !may_be_text || !is_text(start)
    });
    // A photo of a telephone: `....ftypheic`.
    let is_media = start.get(4..8) == Some(b"ftyp");
    magic.or_else(|| is_media.then_some(UnsupportedFormat::Picture)).or_else(|| text_format(start)).or_else(|| {
        let is_wide = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") || alternates_with_zero(start);
        (!is_wide && !is_text(start)).then_some(UnsupportedFormat::Binary)
    })
}

/// Whether hardly any byte is zero.
fn is_text(start: &[u8]) -> bool {
    let sample = &start[..start.len().min(MARKUP_SAMPLE)];
    let zeros = sample.iter().map(|byte| usize::from(*byte == 0)).sum::<usize>();
    zeros * 20 <= sample.len()
}

/// Whether the text could be UTF-16 without a byte order mark.
fn alternates_with_zero(start: &[u8]) -> bool {
    matches!(start, [0, first, 0, _, ..] | [first, 0, _, 0, ..] if *first != 0)
}

/// Recognises texts that are no lists.
fn text_format(start: &[u8]) -> Option<UnsupportedFormat> {
    let text = String::from_utf8_lossy(&start[..start.len().min(MARKUP_SAMPLE)]).to_ascii_lowercase();
    // UTF-16 becomes readable without its zeros.
    let text = text.replace(['\0', '\u{feff}', '\u{fffd}'], "");
    let text = text.trim_start();
    let starts_with = |starts: &[&str]| starts.iter().any(|start| text.starts_with(start));
    if starts_with(&["begin:vcard"]) {
        return Some(UnsupportedFormat::VCard);
    }
    if starts_with(&["begin:vcalendar"]) {
        return Some(UnsupportedFormat::Calendar);
    }
    if starts_with(&["mime-version:"]) {
        return Some(UnsupportedFormat::Page);
    }
    if !is_markup(text) {
        return None;
    }
    let holds = |words: &[&str]| words.iter().any(|word| text.contains(word));
    Some(if holds(&["urn:schemas-microsoft-com:office:spreadsheet", "progid=\"excel.sheet\""]) && !holds(&["<html"]) {
        UnsupportedFormat::XmlWorkbook
    } else if holds(&["http://hl7.org/fhir"]) {
        UnsupportedFormat::FhirXml
    } else if holds(&["<html", "<table", "<!doctype html", "<body", "<head", "<meta", "<style", "<tr", "<div"]) {
        UnsupportedFormat::Page
    } else {
        UnsupportedFormat::Xml
    })
}

/// Whether a text starts with a tag, a declaration or a comment.
fn is_markup(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('<') else { return false };
    let is_name = rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains('>');
    is_name || rest.starts_with("?xml") || rest.starts_with('!')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_no_lists_are_told_from_lists() {
        for (start, format) in [
            (&b"\x89PNG\r\n\x1a\n\0\0"[..], UnsupportedFormat::Picture),
            (b"\0\0\0\x18ftypheic\0\0", UnsupportedFormat::Picture),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", UnsupportedFormat::Picture),
            (b"SQLite format 3\0", UnsupportedFormat::Database),
            (b"PAR1\x15\0\x15", UnsupportedFormat::Columnar),
            (b"%PDF-1.7", UnsupportedFormat::Pdf),
            (b"{\\rtf1\\ansi", UnsupportedFormat::Document),
            (b"BEGIN:VCARD\r\nVERSION:3.0", UnsupportedFormat::VCard),
            (b"\xef\xbb\xbfBEGIN:VCARD\n", UnsupportedFormat::VCard),
            (b"<html><table>", UnsupportedFormat::Page),
            (b"<?xml version='1.0'?><html xmlns='x'>", UnsupportedFormat::Page),
            (b"<!-- x --><TABLE>", UnsupportedFormat::Page),
            (b"<?xml version='1.0'?><Bundle xmlns=\"http://hl7.org/fhir\">", UnsupportedFormat::FhirXml),
            (b"<patients><patient/></patients>", UnsupportedFormat::Xml),
            (b"<\0p\0>\0<\0q\0>\0", UnsupportedFormat::Xml),
            (b"MSH|^~\\&|", UnsupportedFormat::Hl7),
            (b"\x01\x02\x00\x00\x00\x03", UnsupportedFormat::Binary),
        ] {
            assert_eq!(unsupported_format(start), Some(format), "{start:?}");
        }
        for list in [
            &b"patient_id,first_name,phone\n"[..],
            b"BM,first_name,phone\n",
            b"ORC id,phone\n",
            b"RIFF,phone\n",
            b"p\0a\0t\0,\0i\0",
            b"\0p\0a\0t\0,",
            b"\xff\xfep\0a\0",
            b"{\"rtf\": 1}",
            b"< 5 rows,first_name\n",
            b"",
        ] {
            assert_eq!(unsupported_format(list), None, "{list:?}");
        }
    }
}
