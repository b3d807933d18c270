//! Enrolling a whole list while it is read.

use super::*;

fn entries(patients: &[u64]) -> ListChunk {
    chunk(patients.iter().map(|patient| entry(&format!("P-{patient}"), 101)))
}

fn chunk(entries: impl Iterator<Item = NewEntry>) -> ListChunk {
    ListChunk::Entries(entries.collect::<Vec<_>>().iter().collect())
}

fn end(accepted: u64) -> ListChunk {
    ListChunk::End(ListEnd {
        counts: ListCounts { read: accepted, accepted, ..ListCounts::default() },
        max_withdraw_rate: Some(1.0),
        plan: None,
    })
}

fn enrol(fixture: &Fixture, chunks: Vec<ListChunk>, rows: u64) -> Result<EnrolledList, LedgerError> {
    now_or_never(fixture.ledger.enrol_list(Arc::clone(&fixture.campaign), true, chunks.into_iter(), rows, noon()))
}

fn indexes(fixture: &Fixture) -> Vec<String> {
    let conn = fixture.committed();
    let mut statement = conn.prepare("SELECT sql FROM sqlite_schema WHERE type = 'index' ORDER BY name").expect("it");
    let texts = statement.query_map([], |row| row.get::<_, Option<String>>(0)).expect("rows");
    texts.map(|text| text.expect("a row").unwrap_or_default()).collect()
}

#[test]
fn a_list_is_enrolled_to_its_end_whether_long_or_short() {
    for rows in [4, 1_000_000] {
        let fixture = Fixture::new();
        let before = indexes(&fixture);
        let listed = enrol(&fixture, vec![entries(&[1, 2]), entries(&[3, 4]), end(4)], rows).expect("enrolled");
        assert_eq!((listed.enrolled, listed.withdrawn), (EnrolmentCounts { new: 4, ..EnrolmentCounts::default() }, 0));
        // Entries that are listed again are known, the others are withdrawn.
        let listed = enrol(&fixture, vec![entries(&[4, 2]), entries(&[5]), end(3)], rows).expect("enrolled");
        assert_eq!(
            (listed.enrolled, listed.withdrawn),
            (EnrolmentCounts { new: 1, same: 2, ..EnrolmentCounts::default() }, 2)
        );
        assert_eq!(fixture.count(&format!("run WHERE listed AND id = {}", listed.run.run.0)), 1);
        assert_eq!(indexes(&fixture), before, "{rows} rows");
        assert_eq!(fixture.count("entry INDEXED BY entry_by_phone WHERE phone = '+13125550101'"), 5);
    }
}

#[test]
fn a_list_that_breaks_off_leaves_nothing() {
    for rows in [4, 1_000_000] {
        let fixture = Fixture::with(&[entry("P-1", 101)]);
        let (runs, before) = (fixture.count("run"), indexes(&fixture));
        let broken = enrol(&fixture, vec![entries(&[1, 2]), entries(&[3, 4])], rows);
        assert!(matches!(broken, Err(LedgerError::ListBrokenOff)), "{broken:?}");
        assert_eq!((fixture.count("entry"), fixture.count("run")), (1, runs), "{rows} rows");
        assert_eq!(indexes(&fixture), before, "{rows} rows");
        fixture.check_states(&[("P-1", State::Ready)]);
        // Later lists are not affected.
        assert_eq!(fixture.enrol(&[entry("P-9", 102)]), EnrolmentCounts { new: 1, ..EnrolmentCounts::default() });
    }
}

/// An entry with or without a household member, held or ready, with one of three voicemails.
fn mixed(patient: u32) -> NewEntry {
    let key = |n: u32| EntryKey::new(format!("P-{n}"));
    let member = HouseholdMember {
        key: key(patient + 10_000),
        patient: PatientInfo::default(),
        line: u64::from(patient) + 10_000,
    };
    let mut entry = entry(key(patient).as_str(), patient % 1_000);
    entry.content.voicemail = Some(format!("Hello, \"voicemail\":, this is for {}", patient % 3));
    entry.eligibility =
        if patient.is_multiple_of(50) { ListEligibility::Held(Reason::Extension) } else { ListEligibility::Ready };
    entry.members = if patient.is_multiple_of(10) { vec![member] } else { Vec::new() };
    entry
}

#[test]
fn each_entry_of_a_chunk_of_any_size_has_its_event_and_is_called_as_listed() {
    for (rows, at_once) in [(4, 1), (4, 77), (1_000_000, 77), (1_000_000, 600)] {
        let fixture = Fixture::new();
        let list: Vec<NewEntry> = (1..=600).map(mixed).collect();
        let chunks = list.chunks(at_once).map(|some| ListChunk::Entries(some.iter().collect()));
        let listed = enrol(&fixture, chunks.chain([end(600)]).collect(), rows).expect("enrolled");
        assert_eq!(listed.enrolled.new, 600);
        assert_eq!(fixture.count("member WHERE key = 'P-1' || substr('0000' || entry_id, -4)"), 60);

        let reader = LedgerReader::open(&path_in(&fixture.folder)).expect("a ledger");
        for (id, entry) in (1..).zip(&list) {
            let events = reader.events_of(EntryId(id)).expect("events");
            let state = if id % 50 == 0 { State::Held } else { State::Ready };
            let recorded: Vec<_> = events.iter().map(|event| (event.kind.as_str(), event.after, event.at)).collect();
            assert_eq!(recorded, [("enrolled", Some(state), noon())], "entry {id}");
            let preview = reader.preview(listed.run.campaign, entry, noon()).expect("a preview");
            assert_eq!((preview.entry, preview.change), (Some(EntryId(id)), EntryChange::Same));
        }
        assert_eq!(fixture.count("event WHERE kind = 'enrolled'"), 600);
        let claims = now_or_never(fixture.ledger.claim(ClaimRequest {
            run: listed.run,
            campaign: Arc::clone(&fixture.campaign),
            scope: fixture.scope(),
            now: noon(),
            limit: 10,
        }));
        for call in claims.expect("claims").claimed {
            assert!(call.content == list[call.entry.0 as usize - 1].content);
        }
    }
}

#[test]
fn the_same_texts_change_nothing_and_other_texts_are_stored() {
    for rows in [4, 1_000_000] {
        let fixture = Fixture::new();
        let list = || chunk((1..=300).map(mixed));
        enrol(&fixture, vec![list(), end(300)], rows).expect("enrolled");
        let again = enrol(&fixture, vec![list(), end(300)], rows).expect("enrolled");
        assert_eq!(again.enrolled, EnrolmentCounts { same: 300, ..EnrolmentCounts::default() });
        let other = |patient: u32| {
            let mut entry = mixed(patient);
            entry.content.voicemail = Some(format!("Hello {patient}"));
            entry
        };
        let listed = enrol(&fixture, vec![chunk((1..=300).map(other)), end(300)], rows);
        assert_eq!(listed.expect("enrolled").enrolled, EnrolmentCounts { changed: 300, ..EnrolmentCounts::default() });
        assert_eq!(fixture.count("entry WHERE json_extract(content, '$.voicemail') = 'Hello ' || substr(key, 3)"), 300);
    }
}

#[test]
fn a_list_that_has_an_entry_twice_is_refused_whole() {
    for rows in [4, 1_000_000] {
        let fixture = Fixture::new();
        let before = indexes(&fixture);
        let refused = enrol(&fixture, vec![entries(&[1, 2]), entries(&[3, 1]), end(4)], rows);
        assert!(matches!(refused, Err(LedgerError::Conflict)), "{refused:?}");
        assert_eq!((fixture.count("entry"), indexes(&fixture)), (0, before));
    }
}

#[test]
fn the_database_refuses_an_inconsistent_row() {
    let fixture = Fixture::with(&[entry("P-1", 101)]);
    let conn = fixture.committed();
    for assignment in [
        "state = 'asleep'",
        "state = 'held'",
        "state = 'finished'",
        "meanwhile = 'open', meanwhile_reason = 'x'",
        "meanwhile = 'held'",
        "meanwhile_reason = 'unlisted'",
    ] {
        let update = format!("UPDATE entry SET {assignment}");
        assert!(conn.execute(&update, []).is_err(), "{assignment}");
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
    conn.execute("UPDATE entry SET meanwhile = 'held', meanwhile_reason = 'unlisted'", []).expect("consistent");
}
