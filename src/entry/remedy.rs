//! What a person can do about an entry that only a person can settle.

use super::classification::Doubt;
use super::reason::Reason;
use super::state::State;

/// One way to settle an entry that is held, that the vendor refused, or whose call was lost track of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// The call was placed: name its conversation.
    Placed,
    /// No call was placed, or a refused one is to be tried again.
    NotPlaced,
    /// The patient is not called any more.
    Cancel,
    /// The list's next version removes the doubt.
    CorrectList,
    /// A person reads what was said in its conversation.
    Review,
    /// The campaign file gets a `[[line]]` for the patient's location.
    CorrectCampaign,
}

impl Remedy {
    /// The remedies for an entry in this state, the most telling first; none if nothing has to be settled.
    #[must_use]
    pub fn choices(state: State, reason: Option<Reason>) -> &'static [Self] {
        match state {
            State::Held if doubt_of_held(state, reason).is_some() => &[Self::Review],
            State::Held if reason == Some(Reason::AnswerLost) => &[Self::Placed, Self::NotPlaced, Self::Cancel],
            State::Held if reason == Some(Reason::NoLine) => &[Self::CorrectCampaign, Self::Cancel],
            State::Held if reason.is_some_and(Reason::comes_from_list) => &[Self::CorrectList, Self::Cancel],
            State::Held | State::LostTrack => &[Self::Cancel],
            State::Failed => &[Self::NotPlaced, Self::Cancel],
            State::Ready
            | State::Waiting
            | State::Submitting
            | State::Open
            | State::Unknown
            | State::Finished
            | State::Suppressed
            | State::Withdrawn
            | State::Expired
            | State::Cancelled => &[],
        }
    }
}

/// What may have been said in a conversation for which an entry in this state is held.
#[must_use]
pub fn doubt_of_held(state: State, reason: Option<Reason>) -> Option<Doubt> {
    Doubt::ALL.into_iter().find(|doubt| state == State::Held && reason == Some(doubt.reason()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Fact;

    #[test]
    fn a_remedy_is_offered_where_its_fact_may_follow_and_nowhere_else() {
        let facts = [(Remedy::NotPlaced, Fact::DeclaredNotPlaced), (Remedy::Cancel, Fact::CancelledByOperator)];
        for state in State::ALL {
            let offered = Remedy::choices(state, Some(Reason::AnswerLost));
            for (remedy, fact) in &facts {
                if offered.contains(remedy) {
                    assert!(state.after(fact).is_ok(), "{state}: {remedy:?}");
                }
            }
        }
        let stuck: Vec<_> = State::ALL.into_iter().filter(|state| !Remedy::choices(*state, None).is_empty()).collect();
        assert_eq!(stuck, [State::Held, State::Failed, State::LostTrack]);
    }

    #[test]
    fn only_a_lost_answer_can_be_a_call_that_was_placed() {
        let is_placed = |reason: &&Reason| Remedy::choices(State::Held, Some(**reason)).contains(&Remedy::Placed);
        assert_eq!(Reason::ALL.iter().filter(is_placed).collect::<Vec<_>>(), [&Reason::AnswerLost]);
    }
}
