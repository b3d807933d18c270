//! Enrolling a whole list while it is read.

use super::*;
use crate::entry::EntryChange;

/// Entries of these patients, all with one number.
pub(super) fn patients(patients: &[u64]) -> ListChunk {
    chunk(patients.iter().map(|patient| entry(&format!("P-{patient}"), 101)))
}

fn chunk(entries: impl Iterator<Item = NewEntry>) -> ListChunk {
    ListChunk::Entries(entries.collect::<Vec<_>>().iter().collect())
}

pub(super) fn end(accepted: u64) -> ListChunk {
    ListChunk::End(ListEnd {
        counts: ListCounts { read: accepted, accepted, ..ListCounts::default() },
        max_withdraw_rate: Some(1.0),
        plan: None,
    })
}

pub(super) fn enrol(fixture: &Fixture, chunks: Vec<ListChunk>, rows: u64) -> Result<EnrolledList, LedgerError> {
    committed(fixture.ledger().enrol_list(Arc::clone(&fixture.campaign), true, chunks.into_iter(), rows, noon()))
}

pub(super) fn a_list_is_enrolled_to_its_end_whether_long_or_short(open: Opener) {
    for rows in [4, 1_000_000] {
        let fixture = Fixture::new(open);
        let listed = enrol(&fixture, vec![patients(&[1, 2]), patients(&[3, 4]), end(4)], rows).expect("enrolled");
        assert_eq!((listed.enrolled, listed.withdrawn), (EnrolmentCounts { new: 4, ..EnrolmentCounts::default() }, 0));
        // Entries that are listed again are known, the others are withdrawn.
        let listed = enrol(&fixture, vec![patients(&[4, 2]), patients(&[5]), end(3)], rows).expect("enrolled");
        assert_eq!(
            (listed.enrolled, listed.withdrawn),
            (EnrolmentCounts { new: 1, same: 2, ..EnrolmentCounts::default() }, 2)
        );
        let reopened = committed(fixture.ledger().reopen_run(Some(listed.run.run))).expect("the run");
        assert!(reopened.listed, "{rows} rows");
        assert_eq!(fixture.rows().len(), 5);
    }
}

pub(super) fn a_list_that_breaks_off_leaves_nothing(open: Opener) {
    for rows in [4, 1_000_000] {
        let fixture = Fixture::with(open, &[entry("P-1", 101)]);
        let broken = enrol(&fixture, vec![patients(&[1, 2]), patients(&[3, 4])], rows);
        assert!(matches!(broken, Err(LedgerError::ListBrokenOff)), "{broken:?}");
        fixture.check_states(&[("P-1", State::Ready)]);
        let newest = fixture.reader().run(None).expect("a run").handle;
        assert_eq!(newest, fixture.run, "{rows} rows");
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

pub(super) fn each_entry_of_a_chunk_of_any_size_has_its_event_and_is_called_as_listed(open: Opener) {
    for (rows, at_once) in [(4, 1), (4, 77), (1_000_000, 77), (1_000_000, 600)] {
        let fixture = Fixture::new(open);
        let list: Vec<NewEntry> = (1..=600).map(mixed).collect();
        let chunks = list.chunks(at_once).map(|some| ListChunk::Entries(some.iter().collect()));
        let listed = enrol(&fixture, chunks.chain([end(600)]).collect(), rows).expect("enrolled");
        assert_eq!(listed.enrolled.new, 600);
        let members: Vec<_> = fixture.rows().into_iter().filter(|row| row.covered_by_household).collect();
        let has_its_own = |row: &EntryRow| row.key.as_str() == format!("P-{}", row.entry.0 + 10_000);
        assert!(members.len() == 60 && members.iter().all(has_its_own));

        let reader = fixture.reader();
        for (id, entry) in (1..).zip(&list) {
            let events = reader.events_of(EntryId(id)).expect("events");
            let state = if id % 50 == 0 { State::Held } else { State::Ready };
            let recorded: Vec<_> = events.iter().map(|event| (event.kind.as_str(), event.after, event.at)).collect();
            assert_eq!(recorded, [("enrolled", Some(state), noon())], "entry {id}");
            let preview = reader.preview(listed.run.campaign, entry, 3, noon()).expect("a preview");
            assert_eq!((preview.entry, preview.change), (Some(EntryId(id)), EntryChange::Same));
        }
        for call in fixture.claim_for(listed.run, noon(), 10).claimed {
            assert!(call.content == list[call.entry.0 as usize - 1].content);
        }
    }
}

pub(super) fn the_same_texts_change_nothing_and_other_texts_are_stored(open: Opener) {
    for rows in [4, 1_000_000] {
        let fixture = Fixture::new(open);
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
        let reader = fixture.reader();
        for entry in (1..=300).map(other) {
            let preview = reader.preview(fixture.run.campaign, &entry, 3, noon()).expect("a preview");
            assert_eq!(preview.change, EntryChange::Same);
        }
    }
}

pub(super) fn a_list_that_has_an_entry_twice_is_refused_whole(open: Opener) {
    for rows in [4, 1_000_000] {
        let fixture = Fixture::new(open);
        let refused = enrol(&fixture, vec![patients(&[1, 2]), patients(&[3, 1]), end(4)], rows);
        assert!(matches!(refused, Err(LedgerError::Conflict)), "{refused:?}");
        assert!(fixture.rows().is_empty(), "{rows} rows");
    }
}
