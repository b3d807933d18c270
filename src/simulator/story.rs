//! What a closed conversation tells of how the call went: tags, topic, summary, actions, transcript.
//!
//! The contract has no outcome field (`annie-api.md`), so this is all that anybody gets to read.

use super::people::Behaviour;

/// What a closed conversation carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Story {
    /// `conversationTags`.
    pub tags: &'static [&'static str],
    /// `topic`.
    pub topic: &'static str,
    /// `summary`.
    pub summary: &'static str,
    /// `actionsNeeded`.
    pub actions: &'static [&'static str],
    /// What the callee says, if anybody speaks.
    pub said: Option<&'static str>,
}

/// What is told of a call that somebody ended through `POST /conversations/{id}/close`.
pub(super) const CUT_SHORT: Story = Story {
    tags: &["closed-by-request"],
    topic: "Call ended",
    summary: "The call was closed by request before it came to an end.",
    actions: &[],
    said: None,
};

/// What is told of a call that went this way.
#[must_use]
pub fn story(behaviour: Behaviour) -> Story {
    let told = |tags, topic, summary| Story { tags, topic, summary, actions: &[], said: None };
    match behaviour {
        Behaviour::Books => Story {
            said: Some("Yes, next Tuesday morning would be good."),
            ..told(&["appointment-booked"], "Appointment booking", "The patient booked an appointment.")
        },
        Behaviour::Confirms => Story {
            said: Some("Yes, I will be there."),
            ..told(&["appointment-confirmed"], "Appointment confirmation", "The patient confirmed the appointment.")
        },
        Behaviour::Reschedules => Story {
            actions: &["Offer the patient another time"],
            said: Some("I cannot make it that day. Is there anything the week after?"),
            ..told(&["reschedule-requested"], "Reschedule", "The patient asked for another time.")
        },
        Behaviour::Declines => Story {
            said: Some("No, thank you, not at the moment."),
            ..told(&["declined"], "Appointment booking", "The patient does not want an appointment at the moment.")
        },
        Behaviour::AsksCallback => Story {
            actions: &["Call the patient back"],
            said: Some("Could somebody from the office call me?"),
            ..told(&["callback-requested"], "Callback request", "The patient would like the office to call.")
        },
        Behaviour::OptsOut => Story {
            actions: &["Remove the number from outbound calls"],
            said: Some("Please do not call me again."),
            ..told(&["opt-out"], "Opt-out", "The person asked not to be called again.")
        },
        Behaviour::Voicemail => {
            told(&["left-voicemail"], "Voicemail", "The call went to voicemail and a message was left.")
        }
        Behaviour::NoAnswer => told(&["no-answer"], "No answer", "Nobody answered."),
        Behaviour::Busy => told(&["busy"], "Busy", "The line was busy."),
        Behaviour::WrongNumber => Story {
            actions: &["Check the phone number"],
            said: Some("There is nobody of that name here."),
            ..told(&["wrong-number"], "Wrong number", "The number belongs to somebody else.")
        },
        Behaviour::DeceasedOrMoved => Story {
            actions: &["Update the patient's record"],
            said: Some("They do not live here any more."),
            ..told(&["deceased-or-moved"], "Patient record", "The patient is no longer at this number.")
        },
        Behaviour::InvalidNumber => Story {
            actions: &["Check the phone number"],
            ..told(&["invalid-number"], "Invalid number", "The number is not in service.")
        },
        Behaviour::ReachedOther => Story {
            said: Some("They are out. I can tell them that you called."),
            ..told(&["reached-other"], "Message taken", "Somebody else of the household answered.")
        },
        Behaviour::Unclassifiable => {
            Story { said: Some("Hm."), ..told(&["general"], "General", "The conversation was unclear.") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_behaviour_but_the_unclassifiable_one_is_told_by_its_own_tag() {
        let mut tags: Vec<_> = Behaviour::ALL.iter().flat_map(|behaviour| story(*behaviour).tags).collect();
        tags.sort_unstable();
        let known = [
            "appointment-booked",
            "appointment-confirmed",
            "busy",
            "callback-requested",
            "deceased-or-moved",
            "declined",
            "general",
            "invalid-number",
            "left-voicemail",
            "no-answer",
            "opt-out",
            "reached-other",
            "reschedule-requested",
            "wrong-number",
        ];
        assert_eq!(tags, known.iter().collect::<Vec<_>>());
    }

    #[test]
    fn nobody_speaks_where_nobody_answers() {
        for behaviour in [Behaviour::NoAnswer, Behaviour::Busy, Behaviour::InvalidNumber, Behaviour::Voicemail] {
            assert_eq!(story(behaviour).said, None, "{behaviour:?}");
        }
    }
}
