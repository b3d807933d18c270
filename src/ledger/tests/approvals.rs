//! Runs of an approved plan.

use super::*;

fn approved(of: &Draft, calls: u32) -> Approved {
    Approved { key: of.key.clone(), phone: of.phone, content: of.content.clone(), calls }
}

impl Desk {
    fn approve(&self, calls: Vec<Approved>) {
        now_or_never(self.ledger.approve(self.run, "a-plan".into(), calls)).expect("approved");
    }

    fn next_due(&self) -> Option<DateTime<Utc>> {
        now_or_never(self.ledger.prospects(self.run, self.share())).expect("prospects").next_due
    }
}

#[test]
fn a_planned_run_claims_what_is_in_the_plan_and_nothing_else() {
    let list = [draft("1", 110), draft("2", 111), draft("3", 112)];
    let desk = Desk::with(&list);
    desk.approve(vec![approved(&list[1], 0)]);
    assert_eq!(desk.claim().iter().map(|call| call.to).collect::<Vec<_>>(), [number(111)]);
    assert_eq!(desk.next_due(), None, "nobody else is due in this run");
}

#[test]
fn each_call_of_a_plan_is_made_once_whatever_came_of_it() {
    let list = [draft("1", 110)];
    let desk = Desk::with(&list);
    desk.approve(vec![approved(&list[0], 0)]);
    let claimed = desk.claim();
    desk.record(vec![happened(&claimed[0], Fact::Accepted)]).expect("recorded");
    desk.record(vec![ended(&claimed[0], Outcome::NoAnswer, Some(noon()))]).expect("recorded");
    assert!(desk.claim().is_empty(), "the redial was not approved");
    assert_eq!(desk.next_due(), None);
}

#[test]
fn what_provably_was_not_placed_may_still_be() {
    let list = [draft("1", 110)];
    let desk = Desk::with(&list);
    desk.approve(vec![approved(&list[0], 0)]);
    let claimed = desk.claim();
    let fact = Fact::NotPlaced { retry_at: noon(), reason: Reason::NotConnected };
    desk.record(vec![happened(&claimed[0], fact)]).expect("recorded");
    assert_eq!(desk.claim().len(), 1);
}

#[test]
fn what_is_not_word_for_word_as_it_was_approved_is_not_called() {
    let said = |text: &str| Draft {
        content: Content { context: Some(text.into()), ..draft("1", 110).content },
        ..draft("1", 110)
    };
    for (now, calls) in
        [(said("is due."), 1), (said("is due "), 0), (Draft { phone: number(119), ..said("is due.") }, 0)]
    {
        let desk = Desk::with(&[said("is due.")]);
        desk.approve(vec![approved(&said("is due."), 0)]);
        // Another list came in between.
        desk.enrol(&[now]);
        assert_eq!(desk.claim().len(), calls);
    }
}

#[test]
fn a_plan_of_somebody_who_is_not_enrolled_is_no_plan() {
    let desk = Desk::with(&[draft("1", 110)]);
    let stranger = approved(&draft("2", 111), 0);
    assert!(now_or_never(desk.ledger.approve(desk.run, "a-plan".into(), vec![stranger])).is_err());
}
