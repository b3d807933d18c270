//! A whole list, enrolled while it is read.

use super::*;
use crate::ledger::{End, Listed, Piece};

fn entries(patients: &[u64]) -> Piece {
    piece(patients.iter().map(|patient| draft(&format!("P-{patient}"), 101)))
}

fn piece(drafts: impl Iterator<Item = Draft>) -> Piece {
    Piece::Entries(drafts.collect::<Vec<_>>().iter().collect())
}

fn end(accepted: u64) -> Piece {
    Piece::End(End {
        tally: ListTally { read: accepted, accepted, ..ListTally::default() },
        withdraw: Some(1.0),
        plan: None,
    })
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

/// Of a household, held or free to be called, with one of three voicemails.
fn mixed(patient: u32) -> Draft {
    let key = |n: u32| EntryKey::new(format!("P-{n}"));
    let member =
        Member { key: key(patient + 10_000), patient: PatientInfo::default(), line: u64::from(patient) + 10_000 };
    let mut draft = draft(key(patient).as_str(), patient % 1_000);
    draft.content.voicemail = Some(format!("Hello, \"voicemail\":, this is for {}", patient % 3));
    draft.standing = if patient.is_multiple_of(50) { Standing::Held(Reason::Extension) } else { Standing::Ready };
    draft.members = if patient.is_multiple_of(10) { vec![member] } else { Vec::new() };
    draft
}

#[test]
fn however_many_are_enrolled_at_once_each_can_be_told_about_and_called_as_it_was_listed() {
    for (rows, at_once) in [(4, 1), (4, 77), (1_000_000, 77), (1_000_000, 600)] {
        let desk = Desk::new();
        let list: Vec<Draft> = (1..=600).map(mixed).collect();
        let pieces = list.chunks(at_once).map(|some| Piece::Entries(some.iter().collect()));
        let listed = enrol(&desk, pieces.chain([end(600)]).collect(), rows).expect("enrolled");
        assert_eq!(listed.enrolled.new, 600);
        assert_eq!(desk.count("member WHERE key = 'P-1' || substr('0000' || entry_id, -4)"), 60);

        let reader = Reader::open(&path_in(&desk.folder)).expect("a ledger");
        for (id, draft) in (1..).zip(&list) {
            let events = reader.events_of(EntryId(id)).expect("events");
            let state = if id % 50 == 0 { State::Held } else { State::Ready };
            let told: Vec<_> = events.iter().map(|event| (event.kind.as_str(), event.after, event.at)).collect();
            assert_eq!(told, [("enrolled", Some(state), noon())], "entry {id}");
            let outlook = reader.outlook(listed.run.campaign, draft, noon()).expect("an outlook");
            assert_eq!((outlook.entry, outlook.change), (Some(EntryId(id)), Change::Same));
        }
        assert_eq!(desk.count("event WHERE kind = 'enrolled'"), 600);
        let claims = now_or_never(desk.ledger.claim(ClaimOrder {
            run: listed.run,
            campaign: Arc::clone(&desk.campaign),
            share: desk.share(),
            now: noon(),
            limit: 10,
        }));
        for call in claims.expect("claims").authorised {
            assert!(call.content == list[call.entry.0 as usize - 1].content);
        }
    }
}

#[test]
fn the_same_texts_change_nothing_and_others_are_taken() {
    for rows in [4, 1_000_000] {
        let desk = Desk::new();
        let list = || piece((1..=300).map(mixed));
        enrol(&desk, vec![list(), end(300)], rows).expect("enrolled");
        let again = enrol(&desk, vec![list(), end(300)], rows).expect("enrolled");
        assert_eq!(again.enrolled, Enrolled { same: 300, ..Enrolled::default() });
        let other = |patient: u32| {
            let mut draft = mixed(patient);
            draft.content.voicemail = Some(format!("Hello {patient}"));
            draft
        };
        let listed = enrol(&desk, vec![piece((1..=300).map(other)), end(300)], rows);
        assert_eq!(listed.expect("enrolled").enrolled, Enrolled { changed: 300, ..Enrolled::default() });
        assert_eq!(desk.count("entry WHERE json_extract(content, '$.voicemail') = 'Hello ' || substr(key, 3)"), 300);
    }
}

#[test]
fn an_entry_that_a_list_has_twice_is_enrolled_once() {
    for rows in [4, 1_000_000] {
        let desk = Desk::new();
        let before = indexes(&desk);
        let listed = enrol(&desk, vec![entries(&[1, 2]), entries(&[3, 1]), end(4)], rows).expect("enrolled");
        assert_eq!(listed.enrolled, Enrolled { new: 3, same: 1, ..Enrolled::default() });
        assert_eq!((desk.count("entry"), indexes(&desk)), (3, before));
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
        let of_one_key = insert.replace("'other'", "key").replace("'asleep'", "state");
        assert!(conn.execute(&of_one_key, []).is_err(), "two entries of one key");
    }
    conn.execute("UPDATE entry SET meanwhile = 'held', meanwhile_reason = 'unlisted'", []).expect("this is sense");
}
