//! Runs of an approved plan.

use super::*;

fn approved(of: &NewEntry, calls: u32) -> ApprovedCall {
    ApprovedCall { key: of.key.clone(), phone: of.phone, content: of.content.clone(), calls }
}

impl Fixture {
    fn approve(&self, calls: Vec<ApprovedCall>) {
        committed(self.ledger().approve(self.run, "a-plan".into(), calls)).expect("approved");
    }

    fn next_due(&self) -> Option<DateTime<Utc>> {
        committed(self.ledger().next_due(self.run, self.scope())).expect("asked")
    }
}

pub(super) fn a_planned_run_claims_what_is_in_the_plan_and_nothing_else(open: Opener) {
    let list = [entry("1", 110), entry("2", 111), entry("3", 112)];
    let fixture = Fixture::with(open, &list);
    fixture.approve(vec![approved(&list[1], 0)]);
    assert_eq!(fixture.claim().iter().map(|call| call.to).collect::<Vec<_>>(), [number(111)]);
    assert_eq!(fixture.next_due(), None, "no other entry is due in this run");
}

pub(super) fn each_call_of_a_plan_is_made_once_whatever_came_of_it(open: Opener) {
    let list = [entry("1", 110)];
    let fixture = Fixture::with(open, &list);
    fixture.approve(vec![approved(&list[0], 0)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![ended(&claimed[0], Outcome::NoAnswer, Some(noon()))]).expect("recorded");
    assert!(fixture.claim().is_empty(), "the redial was not approved");
    assert_eq!(fixture.next_due(), None);
}

pub(super) fn a_call_that_provably_was_not_placed_may_still_be_placed(open: Opener) {
    let list = [entry("1", 110)];
    let fixture = Fixture::with(open, &list);
    fixture.approve(vec![approved(&list[0], 0)]);
    let claimed = fixture.claim();
    let fact = Fact::NotPlaced { retry_at: noon(), reason: Reason::NotConnected };
    fixture.record(vec![update(&claimed[0], fact)]).expect("recorded");
    assert_eq!(fixture.claim().len(), 1);
}

pub(super) fn an_entry_that_differs_from_its_approval_is_not_called(open: Opener) {
    let with_context = |text: &str| NewEntry {
        content: CallContent { context: Some(text.into()), ..entry("1", 110).content },
        ..entry("1", 110)
    };
    for (now, calls) in [
        (with_context("is due."), 1),
        (with_context("is due "), 0),
        (NewEntry { phone: number(119), ..with_context("is due.") }, 0),
    ] {
        let fixture = Fixture::with(open, &[with_context("is due.")]);
        fixture.approve(vec![approved(&with_context("is due."), 0)]);
        // Another list is enrolled after the approval.
        fixture.enrol(&[now]);
        assert_eq!(fixture.claim().len(), calls);
    }
}

pub(super) fn a_plan_with_an_entry_that_is_not_enrolled_is_refused(open: Opener) {
    let fixture = Fixture::with(open, &[entry("1", 110)]);
    let unknown = approved(&entry("2", 111), 0);
    assert!(committed(fixture.ledger().approve(fixture.run, "a-plan".into(), vec![unknown])).is_err());
}
