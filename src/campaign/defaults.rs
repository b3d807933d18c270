//! The defaults of a campaign file, read from the commented `defaults.toml`.

use std::sync::LazyLock;

use toml::Spanned;
use toml::de::DeTable;

use super::file::CampaignFile;
use super::sections::Purpose;
use super::spanned_reader::{FileKind, RawValue, SpannedReader};

/// The text of `defaults.toml`: every key with its default and a comment.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// The general defaults, and what each purpose changes.
#[derive(Debug)]
struct Defaults {
    general: CampaignFile,
    recall: CampaignFile,
    reminder: CampaignFile,
    follow_up: CampaignFile,
}

static PARSED: LazyLock<Defaults> = LazyLock::new(|| {
    let mut table = DeTable::parse(DEFAULTS).expect("a test reads the embedded file").into_inner();
    let mut reader = SpannedReader::new::<CampaignFile>(DEFAULTS, FileKind::Defaults);
    let [recall, reminder, follow_up] =
        ["recall", "reminder", "follow_up"].map(|purpose| read_purpose(&mut table, purpose, &mut reader));
    let general = CampaignFile::from_table(&table, &(0..0), &mut reader);
    assert!(reader.problems.is_empty(), "defaults.toml: {:?}", reader.problems);
    Defaults { general, recall, reminder, follow_up }
});

fn read_purpose(table: &mut DeTable<'_>, purpose: &str, reader: &mut SpannedReader<'_>) -> CampaignFile {
    let changes = table.remove(purpose).map(Spanned::into_inner);
    let entries = changes.as_ref().and_then(|changes| changes.as_table());
    entries.map_or_else(CampaignFile::default, |entries| CampaignFile::from_table(entries, &(0..0), reader))
}

/// The defaults of a purpose. Without a purpose they are those of a recall, so that only the purpose is reported
/// missing.
pub(super) fn for_purpose(purpose: Option<Purpose>) -> CampaignFile {
    let changes = match purpose {
        Some(Purpose::Recall) | None => &PARSED.recall,
        Some(Purpose::Reminder) => &PARSED.reminder,
        Some(Purpose::FollowUp) => &PARSED.follow_up,
    };
    changes.clone().over(PARSED.general.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key that the file sets or shows in a comment, with the path of its table, without the purpose's prefix.
    fn shown() -> Vec<(String, String)> {
        let mut table = String::new();
        let mut found = Vec::new();
        for line in DEFAULTS.lines() {
            if let Some(header) = line.trim_start_matches("# ").strip_prefix('[') {
                let path = header.trim_start_matches('[').split(']').next().unwrap_or_default();
                let of_purpose =
                    ["recall.", "reminder.", "follow_up."].iter().find_map(|purpose| path.strip_prefix(purpose));
                of_purpose.unwrap_or(path).clone_into(&mut table);
            } else if let Some((key, _)) = line.trim_start_matches("# ").split_once(" = ") {
                let is_key = key.chars().all(|c| c.is_alphanumeric() || c == '_');
                found.extend(is_key.then(|| (table.clone(), key.to_owned())));
            }
        }
        found
    }

    fn keys() -> Vec<(String, &'static str)> {
        let mut keys = Vec::new();
        CampaignFile::keys("", &mut keys);
        keys
    }

    #[test]
    fn every_key_is_explained_in_the_defaults() {
        let shown = shown();
        for (table, key) in keys() {
            let path = if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") };
            let is_table = DEFAULTS.contains(&format!("[{path}]"));
            // Rarely used keys are explained in a sentence.
            let is_mentioned = table.is_empty() && DEFAULTS.contains(&format!("`{key} = "));
            assert!(is_table || is_mentioned || shown.contains(&(table, key.to_owned())), "{path} is not explained");
        }
    }

    #[test]
    fn the_defaults_explain_no_key_that_does_not_exist() {
        let keys = keys();
        for (table, key) in shown() {
            assert!(keys.iter().any(|(t, k)| *t == table && *k == key), "[{table}] {key} is not a key");
        }
    }

    #[test]
    fn the_embedded_file_is_read_without_a_problem() {
        for purpose in [None, Some(Purpose::Recall), Some(Purpose::Reminder), Some(Purpose::FollowUp)] {
            assert!(for_purpose(purpose).message.is_some());
        }
    }
}
