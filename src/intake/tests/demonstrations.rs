//! The demonstration campaigns and their lists.

use std::path::Path;

use super::*;
use crate::campaign::{SafetyOverrides, load};

/// A demonstration campaign, the mapping of its list's columns, and the counts of the intake.
fn demonstrate(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns");
    let file = format!("{name}.toml");
    let text = std::fs::read_to_string(folder.join(&file)).expect("a campaign file");
    let campaign = load(&text, &file, folder, SafetyOverrides::default()).expect("a campaign");
    let list = campaign.source.resolve(campaign.list.file.as_ref().expect("a list"));
    let intake = Intake::open(&ListSource::File(list), &campaign, context()).expect("a good list");
    let mut pass = intake.read().expect("rows");
    let longest = pass.by_ref().filter_map(|result| match result.expect("a result") {
        RowResult::Accepted(entry) => entry.content.context,
        RowResult::Rejected(..) | RowResult::Duplicate { .. } | RowResult::Replaced { .. } => None,
    });
    let longest = longest.max_by_key(|context| (context.len(), context.clone())).expect("an entry");
    let summary = pass.finish().expect("a summary");
    assert!(summary.counts.adds_up());
    format!("{name}\n{}\n{longest}\n{summary:#?}", intake.mapping())
}

#[test]
fn the_demonstration_campaigns_give_the_expected_entries() {
    let shown = ["demo-recall", "demo-reminder", "demo-follow-up"].map(demonstrate);
    insta::assert_snapshot!(shown.join("\n\n"));
}
