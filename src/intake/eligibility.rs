//! Whether the list allows a call to a patient: exclusions and consent (`calling-rules.md`, Suppression, consent,
//! eligibility). Suppression wins over a hold. An unclear value in an exclusion column suppresses or holds the entry;
//! it never permits the call.

use crate::campaign::{Consent, Purpose};
use crate::entry::{ListEligibility, Reason};

/// The exclusion cells of a row; `None` for a column that the list does not have.
#[derive(Default)]
pub(super) struct ExclusionCells<'r> {
    pub(super) status: Option<&'r str>,
    pub(super) inactive: Option<&'r str>,
    pub(super) active: Option<&'r str>,
    pub(super) deceased: Option<&'r str>,
    pub(super) do_not_call: Option<&'r str>,
    pub(super) ok_to_call: Option<&'r str>,
    pub(super) contact_method: Option<&'r str>,
    pub(super) disabled: Option<&'r str>,
    pub(super) consent: Option<&'r str>,
    /// The recall is switched off until a day after today.
    pub(super) is_disabled_now: bool,
    /// An appointment lies ahead.
    pub(super) is_booked: bool,
}

/// Whether a patient may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Eligibility {
    pub(super) status: ListEligibility,
    /// The consent cell is blank, but the call is allowed with a warning (not a recall).
    pub(super) consent_is_blank: bool,
}

impl Eligibility {
    /// The eligibility of a patient on the exclude list. The list's own reason for suppression stays.
    pub(super) fn or_excluded(self) -> Self {
        match self.status {
            ListEligibility::Suppressed(_) => self,
            ListEligibility::Ready | ListEligibility::Held(_) => {
                Self { status: ListEligibility::Suppressed(Reason::Excluded), consent_is_blank: false }
            }
        }
    }
}

impl ExclusionCells<'_> {
    /// The eligibility of the row. `consent` is where consent is recorded.
    pub(super) fn eligibility(&self, purpose: Purpose, consent: Consent) -> Eligibility {
        let is_recall = purpose == Purpose::Recall;
        let is_blank = consent == Consent::Column && self.consent_answer() == ConsentAnswer::Unknown;
        let status = match self.suppression(is_recall) {
            Some(reason) => ListEligibility::Suppressed(reason),
            None if self.permission_is_unclear() || (is_blank && is_recall) => {
                ListEligibility::Held(Reason::ConsentBlank)
            }
            None => ListEligibility::Ready,
        };
        Eligibility { status, consent_is_blank: is_blank && status == ListEligibility::Ready }
    }

    /// The first reason that suppresses the entry.
    fn suppression(&self, is_recall: bool) -> Option<Reason> {
        let is_yes_or_unclear =
            |cell: Option<&str>| cell.is_some_and(|cell| matches!(YesNo::parse(cell), YesNo::Yes | YesNo::Other));
        let is_no = |cell: Option<&str>| cell.is_some_and(|cell| YesNo::parse(cell) == YesNo::No);
        let by_status = self.status.and_then(suppression_of_status);
        let reasons = [
            (is_yes_or_unclear(self.deceased) || by_status == Some(Reason::Deceased), Reason::Deceased),
            (is_yes_or_unclear(self.do_not_call) || is_no(self.ok_to_call), Reason::DoNotCall),
            (self.contact_method.is_some_and(forbids_calls), Reason::DoNotCall),
            (self.consent_answer() == ConsentAnswer::No, Reason::NoConsent),
            (is_yes_or_unclear(self.inactive) || is_no(self.active), Reason::Inactive),
            (by_status.is_some(), Reason::Inactive),
            (is_recall && (self.is_disabled_now || is_yes_or_unclear(self.disabled)), Reason::RecallOff),
            (is_recall && self.is_booked, Reason::Booked),
        ];
        reasons.into_iter().find(|(applies, _)| *applies).map(|(_, reason)| reason)
    }

    fn permission_is_unclear(&self) -> bool {
        self.ok_to_call.is_some_and(|cell| YesNo::parse(cell) == YesNo::Other)
    }

    fn consent_answer(&self) -> ConsentAnswer {
        match self.consent.map(|cell| (cell, YesNo::parse(cell))) {
            None | Some((_, YesNo::Blank)) => ConsentAnswer::Unknown,
            Some((_, YesNo::Yes)) => ConsentAnswer::Yes,
            Some((_, YesNo::No)) => ConsentAnswer::No,
            Some((cell, YesNo::Other)) => ConsentAnswer::parse(cell),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConsentAnswer {
    Yes,
    No,
    Unknown,
}

impl ConsentAnswer {
    /// A word such as `revoked` means no. A way or a date of consent means yes. Anything else is unknown.
    fn parse(cell: &str) -> Self {
        const NO: [&str; 9] = ["no", "not", "declined", "refused", "revoked", "withdrawn", "denied", "opted", "stop"];
        const YES: [&str; 10] =
            ["yes", "verbal", "written", "signed", "given", "granted", "agreed", "consented", "express", "ok"];
        let lower = cell.to_lowercase();
        let mut words = lower.split(|c: char| !c.is_alphanumeric()).peekable();
        if words.clone().any(|word| NO.contains(&word)) {
            return Self::No;
        }
        let is_date = lower.chars().filter(char::is_ascii_digit).count() >= 4;
        if is_date || words.any(|word| YES.contains(&word)) { Self::Yes } else { Self::Unknown }
    }
}

/// The value of a yes-or-no cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum YesNo {
    Yes,
    No,
    Blank,
    Other,
}

impl YesNo {
    fn parse(cell: &str) -> Self {
        const YES: [&str; 9] = ["yes", "y", "true", "t", "1", "1.0", "x", "on", "✓"];
        const NO: [&str; 7] = ["no", "n", "false", "f", "0", "0.0", "off"];
        const BLANK: [&str; 9] = ["", "-", "n/a", "na", "none", "null", "unknown", "0001-01-01", "1900-01-01"];
        let cell = cell.trim();
        let is = |words: &[&str]| words.iter().any(|word| cell.eq_ignore_ascii_case(word));
        match () {
            () if is(&YES) => Self::Yes,
            () if is(&NO) => Self::No,
            () if is(&BLANK) || cell.starts_with("0001-01-01") || cell.starts_with("00/00") => Self::Blank,
            () => Self::Other,
        }
    }
}

/// Whether a contact method such as `DoNotCall` forbids calls.
fn forbids_calls(method: &str) -> bool {
    let normalized: String = method.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    matches!(normalized.as_str(), "donotcall" | "nocalls" | "nocall")
}

/// The name of a contact method that an Open Dental export gives as a number; other values are unchanged. Only one of
/// the numbers forbids calls (`ContactMethod`, 0 to 8: none, do not call, home, work and wireless phone, e-mail, see
/// notes, mail, text message). The numbers here and in [`status_name`] are from the enumerations in Open Dental's
/// published source, read on 25 November 2026.
pub(super) fn contact_method_name(method: &str) -> &str {
    if method == "1" { "DoNotCall" } else { method }
}

/// The name of a status that an Open Dental export gives as a number (`PatientStatus`: 0 is a patient, 6 a prospective
/// one); other values are unchanged.
pub(super) fn status_name(status: &str) -> &str {
    match status {
        "1" => "NonPatient",
        "2" => "Inactive",
        "3" => "Archived",
        "4" => "Deleted",
        "5" => "Deceased",
        other => other,
    }
}

/// The reason for a status that suppresses the entry.
fn suppression_of_status(status: &str) -> Option<Reason> {
    const INACTIVE: [&str; 9] = [
        "inactive",
        "archived",
        "deleted",
        "nonpatient",
        "transferred",
        "moved",
        "dismissed",
        "terminated",
        "notactive",
    ];
    const DECEASED: [&str; 4] = ["deceased", "dead", "died", "expired"];
    if status.is_empty() || status.eq_ignore_ascii_case("Patient") {
        return None;
    }
    let normalized: String = status.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    match () {
        () if DECEASED.contains(&normalized.as_str()) => Some(Reason::Deceased),
        () if INACTIVE.contains(&normalized.as_str()) => Some(Reason::Inactive),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(exclusions: &ExclusionCells<'_>) -> ListEligibility {
        exclusions.eligibility(Purpose::Recall, Consent::OnFile).status
    }

    #[test]
    fn the_list_may_suppress_the_entry() {
        let none = ExclusionCells::default;
        for (exclusions, reason) in [
            (ExclusionCells { status: Some("Inactive"), ..none() }, Reason::Inactive),
            (ExclusionCells { status: Some("Non-Patient"), ..none() }, Reason::Inactive),
            (ExclusionCells { status: Some("Deceased"), ..none() }, Reason::Deceased),
            (ExclusionCells { inactive: Some("true"), ..none() }, Reason::Inactive),
            (ExclusionCells { active: Some("No"), ..none() }, Reason::Inactive),
            (ExclusionCells { deceased: Some("2024-05-01"), ..none() }, Reason::Deceased),
            (ExclusionCells { do_not_call: Some("X"), ..none() }, Reason::DoNotCall),
            (ExclusionCells { do_not_call: Some("asked us to stop"), ..none() }, Reason::DoNotCall),
            (ExclusionCells { ok_to_call: Some("N"), ..none() }, Reason::DoNotCall),
            (ExclusionCells { contact_method: Some("Do Not Call"), ..none() }, Reason::DoNotCall),
            (ExclusionCells { contact_method: Some(contact_method_name("1")), ..none() }, Reason::DoNotCall),
            (ExclusionCells { status: Some(status_name("5")), ..none() }, Reason::Deceased),
            (ExclusionCells { disabled: Some("1"), ..none() }, Reason::RecallOff),
            (ExclusionCells { is_disabled_now: true, ..none() }, Reason::RecallOff),
            (ExclusionCells { consent: Some("revoked by phone"), ..none() }, Reason::NoConsent),
            (ExclusionCells { is_booked: true, ..none() }, Reason::Booked),
            (ExclusionCells { is_booked: true, deceased: Some("y"), ..none() }, Reason::Deceased),
        ] {
            assert_eq!(status_of(&exclusions), ListEligibility::Suppressed(reason));
        }
    }

    #[test]
    fn a_no_in_an_exclusion_column_does_not_suppress() {
        for cell in ["", "no", "0", "False", "N/A", "0001-01-01"] {
            let exclusions = ExclusionCells {
                do_not_call: Some(cell),
                deceased: Some(cell),
                inactive: Some(cell),
                status: Some("Patient"),
                contact_method: Some("WirelessPh"),
                active: Some("yes"),
                ok_to_call: Some("Yes"),
                ..ExclusionCells::default()
            };
            assert_eq!(status_of(&exclusions), ListEligibility::Ready, "{cell}");
        }
    }

    #[test]
    fn blank_consent_holds_a_recall_and_warns_otherwise() {
        let blank = ExclusionCells { consent: Some(""), ..ExclusionCells::default() };
        let recall = blank.eligibility(Purpose::Recall, Consent::Column);
        assert_eq!(recall.status, ListEligibility::Held(Reason::ConsentBlank));
        let reminder = blank.eligibility(Purpose::Reminder, Consent::Column);
        assert_eq!((reminder.status, reminder.consent_is_blank), (ListEligibility::Ready, true));
        let attested = blank.eligibility(Purpose::Recall, Consent::OnFile);
        assert_eq!((attested.status, attested.consent_is_blank), (ListEligibility::Ready, false));
    }

    #[test]
    fn consent_may_be_a_date_or_a_way() {
        for (cell, expected) in [
            ("yes", ListEligibility::Ready),
            ("2024-05-01", ListEligibility::Ready),
            ("signed form", ListEligibility::Ready),
            ("not signed", ListEligibility::Suppressed(Reason::NoConsent)),
            ("see notes", ListEligibility::Held(Reason::ConsentBlank)),
        ] {
            let exclusions = ExclusionCells { consent: Some(cell), ..ExclusionCells::default() };
            assert_eq!(exclusions.eligibility(Purpose::Recall, Consent::Column).status, expected, "{cell}");
        }
    }

    #[test]
    fn an_appointment_does_not_suppress_a_reminder() {
        let booked = ExclusionCells { is_booked: true, is_disabled_now: true, ..ExclusionCells::default() };
        assert_eq!(booked.eligibility(Purpose::Reminder, Consent::OnFile).status, ListEligibility::Ready);
    }
}
