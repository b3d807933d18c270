//! Indexes: the statements of every run use them, and a long list, which drops one for a while, brings it back.

use super::*;
use crate::ledger::tests::lists::{end, enrol, patients};

/// The definitions of all indexes.
fn indexes(path: &Path) -> Vec<String> {
    let conn = connection(path);
    let mut statement = conn.prepare("SELECT sql FROM sqlite_schema WHERE type = 'index' ORDER BY name").expect("it");
    let texts = statement.query_map([], |row| row.get::<_, Option<String>>(0)).expect("rows");
    texts.map(|text| text.expect("a row").unwrap_or_default()).collect()
}

#[test]
fn a_list_leaves_every_index_whether_long_or_short_enrolled_or_refused() {
    for rows in [4, 1_000_000] {
        let (fixture, path) = with_file(&[]);
        let before = indexes(&path);
        enrol(&fixture, vec![patients(&[1, 2]), patients(&[3, 4])], rows).expect_err("it breaks off");
        assert_eq!(indexes(&path), before, "{rows} rows");
        enrol(&fixture, vec![patients(&[1, 2]), patients(&[3, 1]), end(4)], rows).expect_err("one entry twice");
        assert_eq!(indexes(&path), before, "{rows} rows");
        enrol(&fixture, vec![patients(&[1, 2]), patients(&[3, 4, 5]), end(5)], rows).expect("enrolled");
        assert_eq!(indexes(&path), before, "{rows} rows");
        let count = "SELECT count(*) FROM entry INDEXED BY entry_by_phone WHERE phone = '+13125550101'";
        let found: i64 = connection(&path).query_row(count, [], |row| row.get(0)).expect("a count");
        assert_eq!(found, 5, "{rows} rows");
    }
}

#[test]
fn statements_of_every_run_use_the_index_of_what_is_due() {
    let (_fixture, path) = with_file(&[]);
    let conn = connection(&path);
    for (name, index) in [
        ("entry_to_call", "entry_due"),
        ("entry_due", "entry_due"),
        ("entry_next_due", "entry_due"),
        ("entry_listed_count", "entry_by_run"),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ledger/sql").join(format!("{name}.sql"));
        let text = std::fs::read_to_string(path).expect("text");
        let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {text}")).expect("a plan");
        let mut steps = plan.raw_query();
        let mut used = String::new();
        while let Some(step) = steps.next().expect("a step") {
            used += &step.get::<_, String>(3).expect("its text");
        }
        assert!(used.contains(&format!("INDEX {index} ")), "{name}: {used}");
    }
}
