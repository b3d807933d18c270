//! What the list itself says about calling a patient: exclusions and consent (`calling-rules.md`, Suppression, consent,
//! eligibility). A ban wins over a doubt, and what cannot be understood in a column that may ban is taken as a ban or a
//! doubt, never as leave to call.

use crate::campaign::{Consent, Purpose};
use crate::entry::{Reason, Standing};

/// What the exclusion columns of a row hold; `None` where the list has no such column.
#[derive(Default)]
pub(super) struct Exclusions<'r> {
    pub(super) status: Option<&'r str>,
    pub(super) inactive: Option<&'r str>,
    pub(super) active: Option<&'r str>,
    pub(super) deceased: Option<&'r str>,
    pub(super) do_not_call: Option<&'r str>,
    pub(super) ok_to_call: Option<&'r str>,
    pub(super) contact_method: Option<&'r str>,
    pub(super) disabled: Option<&'r str>,
    pub(super) consent: Option<&'r str>,
    /// A recall switched off until a later day than today.
    pub(super) is_disabled_now: bool,
    /// An appointment lies ahead.
    pub(super) is_booked: bool,
}

/// Where a patient stands, and whether consent is merely not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) standing: Standing,
    /// Called all the same, with a warning: a reminder to somebody whose consent cell is blank.
    pub(super) consent_is_blank: bool,
}

impl Judgement {
    /// The same of somebody whom another list takes off; what this list says against a call stays the reason.
    pub(super) fn or_excluded(self) -> Self {
        match self.standing {
            Standing::Suppressed(_) => self,
            Standing::Ready | Standing::Held(_) => {
                Self { standing: Standing::Suppressed(Reason::Excluded), consent_is_blank: false }
            }
        }
    }
}

impl Exclusions<'_> {
    /// Judges a row. `consent` is where the campaign says consent is recorded.
    pub(super) fn judge(&self, purpose: Purpose, consent: Consent) -> Judgement {
        let is_recall = purpose == Purpose::Recall;
        let is_blank = consent == Consent::Column && self.consent_word() == Consented::Unsaid;
        let standing = match self.ban(is_recall) {
            Some(reason) => Standing::Suppressed(reason),
            None if self.leave_is_unclear() || (is_blank && is_recall) => Standing::Held(Reason::ConsentBlank),
            None => Standing::Ready,
        };
        Judgement { standing, consent_is_blank: is_blank && standing == Standing::Ready }
    }

    fn ban(&self, is_recall: bool) -> Option<Reason> {
        let says = |cell: Option<&str>, ban: fn(Word) -> bool| cell.is_some_and(|cell| ban(Word::of(cell)));
        let filled = |word| matches!(word, Word::Yes | Word::Other);
        let status = self.status.and_then(ban_of_status);
        let bans = [
            (says(self.deceased, filled) || status == Some(Reason::Deceased), Reason::Deceased),
            (says(self.do_not_call, filled) || says(self.ok_to_call, |word| word == Word::No), Reason::DoNotCall),
            (self.contact_method.is_some_and(forbids_calls), Reason::DoNotCall),
            (self.consent_word() == Consented::No, Reason::NoConsent),
            (says(self.inactive, filled) || says(self.active, |word| word == Word::No), Reason::Inactive),
            (status.is_some(), Reason::Inactive),
            (is_recall && (self.is_disabled_now || says(self.disabled, filled)), Reason::RecallOff),
            (is_recall && self.is_booked, Reason::Booked),
        ];
        bans.into_iter().find(|(applies, _)| *applies).map(|(_, reason)| reason)
    }

    fn leave_is_unclear(&self) -> bool {
        self.ok_to_call.is_some_and(|cell| Word::of(cell) == Word::Other)
    }

    fn consent_word(&self) -> Consented {
        match self.consent.map(|cell| (cell, Word::of(cell))) {
            None | Some((_, Word::Blank)) => Consented::Unsaid,
            Some((_, Word::Yes)) => Consented::Yes,
            Some((_, Word::No)) => Consented::No,
            Some((cell, Word::Other)) => Consented::of_text(cell),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consented {
    Yes,
    No,
    Unsaid,
}

impl Consented {
    /// `revoked` and its kin are a no; how or when it was given is a yes; anything else says nothing.
    fn of_text(cell: &str) -> Self {
        const NO: [&str; 9] = ["no", "not", "declined", "refused", "revoked", "withdrawn", "denied", "opted", "stop"];
        const YES: [&str; 10] =
            ["yes", "verbal", "written", "signed", "given", "granted", "agreed", "consented", "express", "ok"];
        let lower = cell.to_lowercase();
        let mut words = lower.split(|c: char| !c.is_alphanumeric()).peekable();
        if words.clone().any(|word| NO.contains(&word)) {
            return Self::No;
        }
        let is_date = lower.chars().filter(char::is_ascii_digit).count() >= 4;
        if is_date || words.any(|word| YES.contains(&word)) { Self::Yes } else { Self::Unsaid }
    }
}

/// What a yes-or-no cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Yes,
    No,
    Blank,
    Other,
}

impl Word {
    fn of(cell: &str) -> Self {
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

/// `DoNotCall` among the ways to be reached.
fn forbids_calls(method: &str) -> bool {
    let plain: String = method.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    matches!(plain.as_str(), "donotcall" | "nocalls" | "nocall")
}

/// The word for a way to be reached that an Open Dental export gives by its number; any other as it is. Of its
/// `ContactMethod` (0 to 8: none, do not call, home, work and wireless phone, e-mail, see notes, mail, text message) one
/// forbids calls. The numbers here and in [`status_word`] are those of the enumerations in Open Dental's published source, read
/// on 25 November 2026.
pub(super) fn contact_word(method: &str) -> &str {
    if method == "1" { "DoNotCall" } else { method }
}

/// The word for a status that an Open Dental export gives by its number (`PatientStatus`: 0 is a patient, 6 a prospective
/// one); any other status as it is.
pub(super) fn status_word(status: &str) -> &str {
    match status {
        "1" => "NonPatient",
        "2" => "Inactive",
        "3" => "Archived",
        "4" => "Deleted",
        "5" => "Deceased",
        other => other,
    }
}

/// The statuses of practice software that mean: no longer a patient.
fn ban_of_status(status: &str) -> Option<Reason> {
    const GONE: [&str; 9] = [
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
    const DEAD: [&str; 4] = ["deceased", "dead", "died", "expired"];
    if status.is_empty() || status.eq_ignore_ascii_case("Patient") {
        return None;
    }
    let plain: String = status.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    match () {
        () if DEAD.contains(&plain.as_str()) => Some(Reason::Deceased),
        () if GONE.contains(&plain.as_str()) => Some(Reason::Inactive),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(exclusions: &Exclusions<'_>) -> Standing {
        exclusions.judge(Purpose::Recall, Consent::OnFile).standing
    }

    #[test]
    fn the_list_may_forbid_the_call() {
        let none = Exclusions::default;
        for (exclusions, reason) in [
            (Exclusions { status: Some("Inactive"), ..none() }, Reason::Inactive),
            (Exclusions { status: Some("Non-Patient"), ..none() }, Reason::Inactive),
            (Exclusions { status: Some("Deceased"), ..none() }, Reason::Deceased),
            (Exclusions { inactive: Some("true"), ..none() }, Reason::Inactive),
            (Exclusions { active: Some("No"), ..none() }, Reason::Inactive),
            (Exclusions { deceased: Some("2024-05-01"), ..none() }, Reason::Deceased),
            (Exclusions { do_not_call: Some("X"), ..none() }, Reason::DoNotCall),
            (Exclusions { do_not_call: Some("asked us to stop"), ..none() }, Reason::DoNotCall),
            (Exclusions { ok_to_call: Some("N"), ..none() }, Reason::DoNotCall),
            (Exclusions { contact_method: Some("Do Not Call"), ..none() }, Reason::DoNotCall),
            (Exclusions { contact_method: Some(contact_word("1")), ..none() }, Reason::DoNotCall),
            (Exclusions { status: Some(status_word("5")), ..none() }, Reason::Deceased),
            (Exclusions { disabled: Some("1"), ..none() }, Reason::RecallOff),
            (Exclusions { is_disabled_now: true, ..none() }, Reason::RecallOff),
            (Exclusions { consent: Some("revoked by phone"), ..none() }, Reason::NoConsent),
            (Exclusions { is_booked: true, ..none() }, Reason::Booked),
            (Exclusions { is_booked: true, deceased: Some("y"), ..none() }, Reason::Deceased),
        ] {
            assert_eq!(judge(&exclusions), Standing::Suppressed(reason));
        }
    }

    #[test]
    fn a_no_in_a_column_of_bans_is_no_ban() {
        for cell in ["", "no", "0", "False", "N/A", "0001-01-01"] {
            let exclusions = Exclusions {
                do_not_call: Some(cell),
                deceased: Some(cell),
                inactive: Some(cell),
                status: Some("Patient"),
                contact_method: Some("WirelessPh"),
                active: Some("yes"),
                ok_to_call: Some("Yes"),
                ..Exclusions::default()
            };
            assert_eq!(judge(&exclusions), Standing::Ready, "{cell}");
        }
    }

    #[test]
    fn blank_consent_holds_a_recall_and_warns_otherwise() {
        let blank = Exclusions { consent: Some(""), ..Exclusions::default() };
        let recall = blank.judge(Purpose::Recall, Consent::Column);
        assert_eq!(recall.standing, Standing::Held(Reason::ConsentBlank));
        let reminder = blank.judge(Purpose::Reminder, Consent::Column);
        assert_eq!((reminder.standing, reminder.consent_is_blank), (Standing::Ready, true));
        let attested = blank.judge(Purpose::Recall, Consent::OnFile);
        assert_eq!((attested.standing, attested.consent_is_blank), (Standing::Ready, false));
    }

    #[test]
    fn consent_may_be_said_by_when_or_how() {
        for (cell, expected) in [
            ("yes", Standing::Ready),
            ("2024-05-01", Standing::Ready),
            ("signed form", Standing::Ready),
            ("not signed", Standing::Suppressed(Reason::NoConsent)),
            ("see notes", Standing::Held(Reason::ConsentBlank)),
        ] {
            let exclusions = Exclusions { consent: Some(cell), ..Exclusions::default() };
            assert_eq!(exclusions.judge(Purpose::Recall, Consent::Column).standing, expected, "{cell}");
        }
    }

    #[test]
    fn an_appointment_is_no_reason_against_a_reminder() {
        let booked = Exclusions { is_booked: true, is_disabled_now: true, ..Exclusions::default() };
        assert_eq!(booked.judge(Purpose::Reminder, Consent::OnFile).standing, Standing::Ready);
    }
}
