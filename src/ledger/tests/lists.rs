//! A whole list, enrolled while it is read.

use super::*;
use crate::ledger::{Listed, Piece, Prepared};

fn entries(patients: &[u64]) -> Piece {
    Piece::Entries(patients.iter().map(|patient| Prepared::from(draft(&format!("P-{patient}"), 101))).collect())
}

fn end(accepted: u64) -> Piece {
    Piece::End { tally: ListTally { read: accepted, accepted, ..ListTally::default() }, withdraw: true, plan: None }
}

fn enrol(desk: &Desk, pieces: Vec<Piece>, rows: u64) -> Result<Listed, LedgerError> {
    now_or_never(desk.ledger.enrol_list(Arc::clone(&desk.campaign), true, pieces.into_iter(), rows, noon()))
}

fn indexes(desk: &Desk) -> Vec<String> {
    let conn = desk.committed();
    let mut statement = conn.prepare("SELECT sql FROM sqlite_schema WHERE type = 'index' ORDER BY name").expect("it");
    let texts = statement.query_map([], |row| row.get::<_, Option<String>>(0)).expect("rows");
    texts.map(|text| text.expect("a row").unwrap_or_default()).collect()
}

#[test]
fn a_list_is_enrolled_to_its_end_whether_long_or_short() {
    for rows in [4, 1_000_000] {
        let desk = Desk::new();
        let before = indexes(&desk);
        let listed = enrol(&desk, vec![entries(&[1, 2]), entries(&[3, 4]), end(4)], rows).expect("enrolled");
        assert_eq!((listed.enrolled, listed.withdrawn), (Enrolled { new: 4, ..Enrolled::default() }, 0));
        // Those that are listed again are known; those that are not are withdrawn.
        let listed = enrol(&desk, vec![entries(&[4, 2]), entries(&[5]), end(3)], rows).expect("enrolled");
        assert_eq!((listed.enrolled, listed.withdrawn), (Enrolled { new: 1, same: 2, ..Enrolled::default() }, 2));
        assert_eq!(desk.count(&format!("run WHERE listed AND id = {}", listed.run.run.0)), 1);
        assert_eq!(indexes(&desk), before, "{rows} rows");
        assert_eq!(desk.count("entry INDEXED BY entry_by_phone WHERE phone = '+13125550101'"), 5);
    }
}

#[test]
fn a_list_that_breaks_off_leaves_nothing() {
    for rows in [4, 1_000_000] {
        let desk = Desk::with(&[draft("P-1", 101)]);
        let (runs, before) = (desk.count("run"), indexes(&desk));
        let broken = enrol(&desk, vec![entries(&[1, 2]), entries(&[3, 4])], rows);
        assert!(matches!(broken, Err(LedgerError::ListBrokenOff)), "{broken:?}");
        assert_eq!((desk.count("entry"), desk.count("run")), (1, runs), "{rows} rows");
        assert_eq!(indexes(&desk), before, "{rows} rows");
        desk.check_states(&[("P-1", State::Ready)]);
        // What comes after it is not harmed.
        assert_eq!(desk.enrol(&[draft("P-9", 102)]), Enrolled { new: 1, ..Enrolled::default() });
    }
}

#[test]
fn the_database_refuses_a_row_that_says_nonsense() {
    let desk = Desk::with(&[draft("P-1", 101)]);
    let conn = desk.committed();
    for nonsense in [
        "state = 'asleep'",
        "state = 'held'",
        "state = 'finished'",
        "meanwhile = 'open', meanwhile_reason = 'x'",
        "meanwhile = 'held'",
        "meanwhile_reason = 'unlisted'",
    ] {
        let update = format!("UPDATE entry SET {nonsense}");
        assert!(conn.execute(&update, []).is_err(), "{nonsense}");
        let columns = "campaign_id, run_id, key, line, organisation, phone, alternatives, zones, content, due_at, \
                       created_at, updated_at, state";
        let insert = format!(
            "INSERT INTO entry ({columns}) SELECT campaign_id, run_id, 'other', line, organisation, phone, \
             alternatives, zones, content, due_at, created_at, updated_at, 'asleep' FROM entry"
        );
        assert!(conn.execute(&insert, []).is_err());
    }
    conn.execute("UPDATE entry SET meanwhile = 'held', meanwhile_reason = 'unlisted'", []).expect("this is sense");
}
