//! A run as an HTML page: the summary and a row for each patient. The page is self-contained and loads nothing.

use std::io::Write;

use crate::ledger::EntryRow;
use crate::visible;
use crate::zone::Zone;

use super::exporter::{ExportError, Exporter};
use super::summary::RunSummary;
use super::text::{self, HEADINGS, cells};

const HEAD: &str = "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"viewport\" content=\"width=device-width\">
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; }
pre { background: #f4f4f4; padding: 1rem; overflow: auto; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: .3rem .8rem; border-bottom: 1px solid #ddd; }
th { position: sticky; top: 0; background: #fff; }
</style>
";

/// Writes a report row by row.
pub struct HtmlExporter<'o> {
    out: &'o mut dyn Write,
    zone: Zone,
}

impl<'o> Exporter<'o> for HtmlExporter<'o> {
    fn begin(out: &'o mut dyn Write, summary: &RunSummary, zone: &Zone) -> Result<Self, ExportError> {
        let title = escaped(&format!("{}, run {}", summary.campaign, summary.run));
        let summary = escaped(&text::summary(summary, zone));
        write!(
            out,
            "{HEAD}<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n<pre>{summary}</pre>\n<table>\n"
        )?;
        write_row(out, "th", HEADINGS)?;
        Ok(Self { out, zone: zone.clone() })
    }

    fn row(&mut self, row: EntryRow) -> Result<(), ExportError> {
        Ok(write_row(self.out, "td", cells(&row, &self.zone))?)
    }

    fn finish(self) -> Result<(), ExportError> {
        Ok(self.out.write_all(b"</table>\n</body>\n</html>\n")?)
    }
}

fn write_row(out: &mut dyn Write, tag: &str, cells: impl IntoIterator<Item = impl AsRef<str>>) -> std::io::Result<()> {
    out.write_all(b"<tr>")?;
    for cell in cells {
        write!(out, "<{tag}>{}</{tag}>", escaped(cell.as_ref()))?;
    }
    out.write_all(b"</tr>\n")
}

/// `text` with HTML's special characters escaped and control characters made visible.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in visible::text(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_markup() {
        assert_eq!(escaped("<b> O'Brien & \"Zoë\""), "&lt;b&gt; O&#39;Brien &amp; &quot;Zoë&quot;");
        let mut out = Vec::new();
        write_row(&mut out, "td", ["<script>", "1"]).expect("written");
        assert_eq!(String::from_utf8_lossy(&out), "<tr><td>&lt;script&gt;</td><td>1</td></tr>\n");
    }
}
