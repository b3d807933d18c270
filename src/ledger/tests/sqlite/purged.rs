//! What a purge leaves: nothing of what was said, and entries that only a list opens again.

use super::*;
use crate::entry::Doubt;
use crate::ledger::{OperatorError, ReviewDecision, purge};

fn after(days: i64) -> DateTime<Utc> {
    noon() + TimeDelta::days(days)
}

/// Purges the ledger's data of up to 50 days ago, which takes its lock.
fn purge_and_reopen(fixture: &mut Fixture, path: &Path) {
    fixture.close();
    purge(path, after(50), "somebody", after(60)).expect("purged");
    fixture.reopen(after(60));
}

#[test]
fn no_review_and_no_operator_opens_an_entry_whose_content_was_purged_and_a_list_does() {
    let list = [entry("P-1", 101), entry("P-2", 101), entry("P-3", 103), entry("P-4", 104)];
    let (mut fixture, path) = with_file(&list[..1]);
    let call = fixture.claim().swap_remove(0);
    let doubt = Fact::EndedInDoubt { outcome: Outcome::NoAnswer, doubt: Doubt::PossibleOptOut };
    fixture.record(vec![update(&call, Fact::Accepted), update(&call, doubt)]).expect("recorded");
    fixture.enrol(&list[1..]);
    let claimed = fixture.claim_at(after(41)).claimed;
    let refused = Fact::Refused { reason: Reason::VendorRefused };
    fixture.record(vec![AttemptUpdate { at: after(41), ..update(&claimed[0], refused) }]).expect("recorded");
    let answer_lost = [Fact::AnswerLost, Fact::Absent { retry: false }];
    for fact in answer_lost {
        fixture.record(vec![AttemptUpdate { at: after(41), ..update(&claimed[1], fact) }]).expect("recorded");
    }
    let states = [("P-1", State::Held), ("P-2", State::Suppressed), ("P-3", State::Failed), ("P-4", State::Held)];
    fixture.check_states(&states);
    purge_and_reopen(&mut fixture, &path);

    let mut operator = fixture.operator(after(60));
    let brought_back = operator.resolve(EntryId(3), Resolution::NotPlaced, "somebody", after(60));
    assert!(matches!(brought_back, Err(OperatorError::Purged(EntryId(3)))), "{brought_back:?}");
    let shown = [(EntryId(3), State::Failed), (EntryId(4), State::Held)];
    let settled = operator.resolve_all(&shown, &Resolution::NotPlaced, "somebody", after(60)).expect("settled");
    assert_eq!(settled, [(EntryId(4), State::Ready)], "one who is not purged");
    fixture.review(EntryId(1), ReviewDecision::MayBeCalled, &fixture.campaign.redial, after(60)).expect("reviewed");
    assert_eq!(fixture.row("P-2").state, State::Suppressed);
    fixture.next_list(&list);
    assert_eq!(fixture.row("P-2").state, State::Ready);
}

#[test]
fn a_decision_about_a_purged_entrys_late_conversation_does_not_call_it_again() {
    let (mut fixture, path) = with_file(&[entry("P-1", 101)]);
    let claimed = fixture.claim().swap_remove(0);
    let late = fixture.late_call_to(101);
    let again = ended(&claimed, Outcome::NoAnswer, Some(after(3)));
    fixture.record(vec![update(&claimed, Fact::Accepted), again]).expect("recorded");
    let scope = DecisionScope::Campaign(fixture.campaign.name.clone());
    fixture.operator(noon()).cancel(&scope, "somebody", noon()).expect("cancelled");
    purge_and_reopen(&mut fixture, &path);
    let doubt = Fact::EndedInDoubt { outcome: Outcome::NoAnswer, doubt: Doubt::PossibleOptOut };
    let read = AttemptUpdate { attempt: late.attempt, at: after(60), ..update(&claimed, doubt) };
    fixture.record(vec![read]).expect("recorded");
    fixture.check_states(&[("P-1", State::Held)]);
    let rules = &fixture.campaign.redial;
    let reviewed = fixture.review(EntryId(1), ReviewDecision::MayBeCalled, rules, after(60)).expect("reviewed");
    assert_eq!(reviewed, State::Finished, "and not waiting, once its cancellation is taken back");
}

#[test]
fn notes_and_write_back_files_about_purged_entries_and_old_calls_go_with_them_whenever_they_were_made() {
    let (mut fixture, path) = with_file(&[entry("P-1", 101), entry("P-2", 102)]);
    let claimed = fixture.claim();
    let old = [update(&claimed[0], Fact::Accepted), ended(&claimed[0], Outcome::CallbackRequested, None)];
    fixture.record(old.into()).expect("recorded");
    let write_back = |fixture: &Fixture, bytes: &str| {
        let render = |contacts: Vec<Contact>| BatchContent {
            content: bytes.as_bytes().to_vec(),
            calls: contacts.iter().map(|contact| contact.attempt).collect(),
        };
        let mut operator = fixture.operator(after(55));
        operator
            .write_back(&fixture.campaign.name, "csv", "ana", after(55), render)
            .expect("written")
            .expect("a batch");
        operator.tick(EntryId(1), "ana", Some("reached her"), after(55)).expect("ticked");
    };
    write_back(&fixture, "of a call before the purge");
    let new = ended(&claimed[1], Outcome::CallbackRequested, None);
    let new = [update(&claimed[1], Fact::Accepted), new].map(|update| AttemptUpdate { at: after(55), ..update });
    fixture.record(new.into()).expect("recorded");
    write_back(&fixture, "of a call since");
    purge_and_reopen(&mut fixture, &path);
    let kept = |number| fixture.reader().writeback_content(number).expect("asked");
    assert_eq!((kept(1), kept(2)), (KeptContent::Removed, KeptContent::Bytes(b"of a call since".to_vec())));
    let mut notes = Vec::new();
    let read = fixture.reader().each_work_item(None, |item| {
        notes.extend(item.ticks.into_iter().filter_map(|tick| tick.note));
        Ok::<_, LedgerError>(())
    });
    read.expect("read");
    assert!(notes.is_empty(), "{notes:?}");
}
