//! Whether the list allows a call to a patient: exclusions and consent (`calling-rules.md`, Suppression, consent,
//! eligibility). Suppression wins over a hold. An unclear value in an exclusion column suppresses or holds the entry, or
//! refuses the list ([`is_unclear`]); it never permits the call.

use super::cell_value::value;
use super::cell_words::{AppointmentWords, PatientWords, YesNo, appointment_words, patient_words, words_of};
use super::columns::{Columns, ForbiddingColumn};
use super::field::Exclusion;
use super::list::ListRow;
use crate::campaign::{Consent, Purpose, ValueMeaning};
use crate::entry::{ListEligibility, Reason};
use crate::phone::number_notes::has_unusable_word;

/// A cell of an exclusion column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ExclusionCell<'r> {
    pub(super) exclusion: Exclusion,
    pub(super) text: &'r str,
    /// What the campaign says of this word.
    pub(super) meaning: Option<ValueMeaning>,
    /// The cell is blank in a column that has no other cells than yes and blank ones, as in a form with boxes to tick.
    pub(super) is_unmarked: bool,
}

/// The exclusion cells of a row.
#[derive(Default)]
pub(super) struct ExclusionCells<'r> {
    pub(super) cells: Vec<ExclusionCell<'r>>,
    /// What a note in another cell forbids.
    pub(super) note: Option<Reason>,
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
    /// Suppressed because the patient is on the exclude list. The list's own reason for suppression stays.
    pub(super) fn or_excluded(self) -> Self {
        match self.status {
            ListEligibility::Suppressed(_) => self,
            ListEligibility::Ready | ListEligibility::Held(_) => {
                Self { status: ListEligibility::Suppressed(Reason::Excluded), consent_is_blank: false }
            }
        }
    }
}

/// What one cell says about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellVerdict {
    /// Nothing against it.
    Allows,
    Forbids(Reason),
    /// Nothing that is understood: the list is refused until the campaign says what the word means.
    Unclear,
    /// Nothing that is understood, in a column where that holds the entry.
    Holds,
}

impl<'r> ExclusionCell<'r> {
    /// Reads a column's cell. Only in Open Dental's own columns is a number a status or a method.
    pub(super) fn read(column: &ForbiddingColumn, columns: &Columns, row: &'r ListRow) -> Self {
        let text = value(row, column.at);
        let name = &columns.names()[column.at];
        let is = |names: &[&str]| names.iter().any(|other| name.eq_ignore_ascii_case(other));
        let of_open_dental: Option<fn(&str) -> &str> = match () {
            () if is(&["PatStatus"]) => Some(status_name),
            () if is(&["PreferRecallMethod", "PreferContactMethod"]) => Some(contact_method_name),
            () if is(&["AptStatus"]) => Some(appointment_status_name),
            () => None,
        };
        let text = of_open_dental.map_or(text, |name| name(text));
        Self { exclusion: column.exclusion, text, meaning: column.meaning_of(text), is_unmarked: false }
    }
}

impl ExclusionCell<'_> {
    pub(super) fn verdict(&self, purpose: Purpose) -> CellVerdict {
        if let Some(meaning) = self.meaning {
            return verdict_of_campaign(meaning);
        }
        if self.is_unmarked {
            return CellVerdict::Holds;
        }
        if says_unknown(self.text) {
            return self.verdict_of_unknown();
        }
        let is_other = YesNo::parse(self.text) == YesNo::Other;
        let is_none = self.text.eq_ignore_ascii_case("none");
        match self.exclusion {
            Exclusion::OkToCall if is_none => CellVerdict::Forbids(Reason::DoNotCall),
            Exclusion::Status => status_verdict(self.text, purpose),
            Exclusion::AppointmentStatus | Exclusion::AppointmentCancelled if purpose == Purpose::Recall => {
                CellVerdict::Allows
            }
            Exclusion::AppointmentOver if purpose != Purpose::Reminder => CellVerdict::Allows,
            Exclusion::AppointmentStatus => appointment_verdict(self.text, purpose).unwrap_or(CellVerdict::Unclear),
            Exclusion::AppointmentCancelled | Exclusion::AppointmentOver => self.yes_forbids(Reason::AppointmentOff),
            Exclusion::Deceased if is_other && patient_words(self.text) == PatientWords::Active => CellVerdict::Allows,
            Exclusion::Deceased => self.yes_forbids(Reason::Deceased),
            Exclusion::Inactive if is_other => {
                words_verdict(self.text).unwrap_or(CellVerdict::Forbids(Reason::Inactive))
            }
            Exclusion::Inactive => self.yes_forbids(Reason::Inactive),
            Exclusion::Active if is_other => words_verdict(self.text).unwrap_or(CellVerdict::Unclear),
            Exclusion::Active => self.no_forbids(Reason::Inactive),
            Exclusion::DoNotCall if self.text.to_ascii_lowercase().starts_with("no,") => CellVerdict::Allows,
            Exclusion::DoNotCall if is_other && permission(self.text) == Some(true) => CellVerdict::Allows,
            Exclusion::DoNotCall if patient_words(self.text) == PatientWords::Forbids(Reason::Deceased) => {
                CellVerdict::Forbids(Reason::Deceased)
            }
            Exclusion::DoNotCall => self.yes_forbids(Reason::DoNotCall),
            Exclusion::OkToCall if is_other => match permission(self.text) {
                Some(true) => CellVerdict::Allows,
                Some(false) => CellVerdict::Forbids(Reason::DoNotCall),
                None => CellVerdict::Holds,
            },
            Exclusion::OkToCall => self.no_forbids(Reason::DoNotCall),
            // `Communication preferences`: no. To what?
            Exclusion::ContactMethod if YesNo::parse(self.text) == YesNo::No && self.text != "0" => {
                CellVerdict::Unclear
            }
            Exclusion::ContactMethod => words_verdict(self.text).unwrap_or(CellVerdict::Allows),
            Exclusion::Disabled if purpose == Purpose::Recall => self.yes_forbids(Reason::RecallOff),
            Exclusion::Disabled | Exclusion::Consent | Exclusion::Booked => CellVerdict::Allows,
        }
    }

    /// What a cell says that says it is not known: no leave to call.
    fn verdict_of_unknown(&self) -> CellVerdict {
        match self.exclusion {
            Exclusion::Status
            | Exclusion::Inactive
            | Exclusion::Active
            | Exclusion::Deceased
            | Exclusion::DoNotCall => CellVerdict::Unclear,
            Exclusion::OkToCall => CellVerdict::Holds,
            Exclusion::ContactMethod
            | Exclusion::Disabled
            | Exclusion::Consent
            | Exclusion::Booked
            | Exclusion::AppointmentStatus
            | Exclusion::AppointmentCancelled
            | Exclusion::AppointmentOver => CellVerdict::Allows,
        }
    }

    /// In a column where yes forbids the call, anything but no and nothing does.
    fn yes_forbids(&self, reason: Reason) -> CellVerdict {
        match YesNo::parse(self.text) {
            YesNo::Yes | YesNo::Other => CellVerdict::Forbids(reason),
            YesNo::No | YesNo::Blank => CellVerdict::Allows,
        }
    }

    fn no_forbids(&self, reason: Reason) -> CellVerdict {
        if YesNo::parse(self.text) == YesNo::No { CellVerdict::Forbids(reason) } else { CellVerdict::Allows }
    }
}

/// Whether a cell says in a word that nothing is known.
fn says_unknown(text: &str) -> bool {
    ["unknown", "unk", "not known", "undetermined", "unsure"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn verdict_of_campaign(meaning: ValueMeaning) -> CellVerdict {
    match meaning {
        ValueMeaning::Call => CellVerdict::Allows,
        ValueMeaning::DoNotCall => CellVerdict::Forbids(Reason::DoNotCall),
        ValueMeaning::Inactive => CellVerdict::Forbids(Reason::Inactive),
        ValueMeaning::Deceased => CellVerdict::Forbids(Reason::Deceased),
        ValueMeaning::AppointmentOff => CellVerdict::Forbids(Reason::AppointmentOff),
    }
}

/// What words say of a patient; `None` if they are not known.
fn words_verdict(text: &str) -> Option<CellVerdict> {
    match patient_words(text) {
        PatientWords::Forbids(reason) => Some(CellVerdict::Forbids(reason)),
        PatientWords::Active | PatientWords::Nothing => Some(CellVerdict::Allows),
        PatientWords::Unknown => None,
    }
}

/// A status is the patient's; in a reminder or follow-up, the appointment's first.
fn status_verdict(text: &str, purpose: Purpose) -> CellVerdict {
    let of_patient = words_verdict(text);
    let is_grave = matches!(of_patient, Some(CellVerdict::Forbids(Reason::Deceased | Reason::DoNotCall)));
    let of_appointment = match purpose {
        _ if is_grave => None,
        Purpose::Recall => of_patient.is_none().then(|| booked_verdict(text)).flatten(),
        Purpose::Reminder | Purpose::FollowUp => appointment_verdict(text, purpose),
    };
    of_appointment.or(of_patient).unwrap_or(CellVerdict::Unclear)
}

/// A recall's status that says that the patient is booked: `Scheduled 12/14`. `None` if it does not.
fn booked_verdict(text: &str) -> Option<CellVerdict> {
    const BOOKED: [&str; 7] = ["scheduled", "booked", "sched", "confirmed", "rescheduled", "appt", "appointment"];
    let says_so = || words_of(text).iter().any(|word| BOOKED.contains(&word.as_str()));
    (appointment_words(text) == AppointmentWords::On && says_so()).then_some(CellVerdict::Forbids(Reason::Booked))
}

/// What a status says of an appointment; `None` if its words are not about one.
fn appointment_verdict(text: &str, purpose: Purpose) -> Option<CellVerdict> {
    match appointment_words(text) {
        AppointmentWords::Off => Some(CellVerdict::Forbids(Reason::AppointmentOff)),
        AppointmentWords::Over if purpose == Purpose::Reminder => Some(CellVerdict::Forbids(Reason::AppointmentOff)),
        AppointmentWords::Over | AppointmentWords::On | AppointmentWords::Nothing => Some(CellVerdict::Allows),
        AppointmentWords::Unknown => None,
    }
}

/// Whether words in a column about calls permit them; `None` if they say neither.
fn permission(text: &str) -> Option<bool> {
    const PERMITS: [&str; 24] = [
        "ok",
        "okay",
        "opt in",
        "opted in",
        "opt-in",
        "opted-in",
        "subscribed",
        "allowed",
        "call",
        "call ok",
        "ok to call",
        "can call",
        "permitted",
        "any",
        "anytime",
        "phone",
        "valid",
        "verified",
        "good",
        "working",
        "active",
        "confirmed",
        "in service",
        "current",
    ];
    let text = text.trim();
    if PERMITS.iter().any(|words| text.eq_ignore_ascii_case(words)) {
        return Some(true);
    }
    let forbids = matches!(patient_words(text), PatientWords::Forbids(_)) || has_unusable_word(text);
    forbids.then_some(false)
}

impl ExclusionCells<'_> {
    /// The eligibility of the row. `consent` is where consent is recorded.
    pub(super) fn eligibility(&self, purpose: Purpose, consent: Consent) -> Eligibility {
        let is_recall = purpose == Purpose::Recall;
        let is_blank = self.consent_answer() == ConsentAnswer::Unknown
            && (consent == Consent::Column || self.has_unclear_consent());
        let verdicts = || self.cells.iter().map(|cell| cell.verdict(purpose));
        let is_unclear = verdicts().any(|verdict| matches!(verdict, CellVerdict::Holds | CellVerdict::Unclear));
        let status = match self.suppression(is_recall, verdicts()) {
            Some(reason) => ListEligibility::Suppressed(reason),
            None if is_unclear || (is_blank && is_recall) => ListEligibility::Held(Reason::ConsentBlank),
            None => ListEligibility::Ready,
        };
        Eligibility { status, consent_is_blank: is_blank && status == ListEligibility::Ready }
    }

    /// The first reason that suppresses the entry.
    fn suppression(&self, is_recall: bool, verdicts: impl Iterator<Item = CellVerdict>) -> Option<Reason> {
        let of_row = [
            (self.consent_answer() == ConsentAnswer::No, Reason::NoConsent),
            (is_recall && self.is_disabled_now, Reason::RecallOff),
            (is_recall && self.is_booked, Reason::Booked),
        ];
        let of_cells = verdicts.filter_map(|verdict| match verdict {
            CellVerdict::Forbids(reason) => Some(reason),
            CellVerdict::Allows | CellVerdict::Unclear | CellVerdict::Holds => None,
        });
        let of_row = of_row.into_iter().filter_map(|(applies, reason)| applies.then_some(reason));
        gravest(of_cells.chain(of_row).chain(self.note))
    }

    /// Whether a cell of consent says something that is not understood.
    fn has_unclear_consent(&self) -> bool {
        self.cells.iter().any(|cell| {
            cell.exclusion == Exclusion::Consent
                && YesNo::parse(cell.text) == YesNo::Other
                && ConsentAnswer::of(cell) == ConsentAnswer::Unknown
        })
    }

    /// A no in any column of consent counts, then a yes in any.
    fn consent_answer(&self) -> ConsentAnswer {
        let answers = || self.cells.iter().filter(|cell| cell.exclusion == Exclusion::Consent).map(ConsentAnswer::of);
        match () {
            () if answers().any(|answer| answer == ConsentAnswer::No) => ConsentAnswer::No,
            () if answers().any(|answer| answer == ConsentAnswer::Yes) => ConsentAnswer::Yes,
            () => ConsentAnswer::Unknown,
        }
    }
}

/// The gravest of the reasons that a list gives.
pub(super) fn gravest(reasons: impl Iterator<Item = Reason>) -> Option<Reason> {
    const MOST_SERIOUS_FIRST: [Reason; 7] = [
        Reason::Deceased,
        Reason::DoNotCall,
        Reason::NoConsent,
        Reason::Inactive,
        Reason::AppointmentOff,
        Reason::RecallOff,
        Reason::Booked,
    ];
    reasons.min_by_key(|reason| MOST_SERIOUS_FIRST.iter().position(|one| one == reason))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConsentAnswer {
    Yes,
    No,
    Unknown,
}

impl ConsentAnswer {
    fn of(cell: &ExclusionCell<'_>) -> Self {
        if let Some(meaning) = cell.meaning {
            return if meaning == ValueMeaning::Call { Self::Yes } else { Self::No };
        }
        match YesNo::parse(cell.text) {
            YesNo::Blank => Self::Unknown,
            YesNo::Yes => Self::Yes,
            YesNo::No => Self::No,
            YesNo::Other => Self::parse(cell.text),
        }
    }

    /// A word such as `revoked` means no. A way or a date of consent means yes. Anything else is unknown.
    fn parse(cell: &str) -> Self {
        const NO: [&str; 11] =
            ["no", "not", "declined", "refused", "revoked", "withdrawn", "denied", "opted", "stop", "never", "expired"];
        const YES: [&str; 10] =
            ["yes", "verbal", "written", "signed", "given", "granted", "agreed", "consented", "express", "ok"];
        let lower = cell.to_lowercase();
        if matches!(lower.as_str(), "opted in" | "opted-in" | "opt in" | "opt-in") {
            return Self::Yes;
        }
        if matches!(patient_words(cell), PatientWords::Forbids(_)) || lower.contains(" only") {
            return Self::No;
        }
        let mut words = lower.split(|c: char| !c.is_alphanumeric()).peekable();
        if words.clone().any(|word| NO.contains(&word)) {
            return Self::No;
        }
        let is_date = lower.chars().filter(char::is_ascii_digit).count() >= 4;
        if is_date || words.any(|word| YES.contains(&word)) { Self::Yes } else { Self::Unknown }
    }
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
        "0" => "Patient",
        "1" => "NonPatient",
        "2" => "Inactive",
        "3" => "Archived",
        "4" => "Deleted",
        "5" => "Deceased",
        "6" => "Prospective",
        other => other,
    }
}

/// The name of an appointment's status that an Open Dental export gives as a number (`ApptStatus`); other values are
/// unchanged.
pub(super) fn appointment_status_name(status: &str) -> &str {
    match status {
        "1" => "Scheduled",
        "2" => "Complete",
        "3" => "UnschedList",
        "4" => "ASAP",
        "5" => "Broken",
        "6" => "Planned",
        "7" => "PtNote",
        "8" => "PtNoteCompleted",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(exclusions: &ExclusionCells<'_>) -> ListEligibility {
        exclusions.eligibility(Purpose::Recall, Consent::OnFile).status
    }

    fn cells<'r>(cells: &[(Exclusion, &'r str)]) -> ExclusionCells<'r> {
        let cells = cells
            .iter()
            .map(|&(exclusion, text)| ExclusionCell { exclusion, text, meaning: None, is_unmarked: false })
            .collect();
        ExclusionCells { cells, ..ExclusionCells::default() }
    }

    #[test]
    fn the_list_may_suppress_the_entry() {
        let none = ExclusionCells::default;
        for (exclusions, reason) in [
            (cells(&[(Exclusion::Status, "Inactive")]), Reason::Inactive),
            (cells(&[(Exclusion::Status, "Non-Patient")]), Reason::Inactive),
            (cells(&[(Exclusion::Status, "Deceased")]), Reason::Deceased),
            (cells(&[(Exclusion::Inactive, "true")]), Reason::Inactive),
            (cells(&[(Exclusion::Active, "No")]), Reason::Inactive),
            (cells(&[(Exclusion::Deceased, "2024-05-01")]), Reason::Deceased),
            (cells(&[(Exclusion::DoNotCall, "X")]), Reason::DoNotCall),
            (cells(&[(Exclusion::DoNotCall, "asked us to stop")]), Reason::DoNotCall),
            (cells(&[(Exclusion::OkToCall, "N")]), Reason::DoNotCall),
            (cells(&[(Exclusion::ContactMethod, "Do Not Call")]), Reason::DoNotCall),
            (cells(&[(Exclusion::ContactMethod, contact_method_name("1"))]), Reason::DoNotCall),
            (cells(&[(Exclusion::Status, status_name("5"))]), Reason::Deceased),
            (cells(&[(Exclusion::Disabled, "1")]), Reason::RecallOff),
            (ExclusionCells { is_disabled_now: true, ..none() }, Reason::RecallOff),
            (cells(&[(Exclusion::Consent, "revoked by phone")]), Reason::NoConsent),
            (ExclusionCells { is_booked: true, ..none() }, Reason::Booked),
            (ExclusionCells { is_booked: true, ..cells(&[(Exclusion::Deceased, "y")]) }, Reason::Deceased),
        ] {
            assert_eq!(status_of(&exclusions), ListEligibility::Suppressed(reason));
        }
    }

    #[test]
    fn a_no_in_an_exclusion_column_does_not_suppress() {
        for cell in ["", "no", "0", "False", "N/A", "0001-01-01"] {
            let exclusions = cells(&[
                (Exclusion::DoNotCall, cell),
                (Exclusion::Deceased, cell),
                (Exclusion::Inactive, cell),
                (Exclusion::Status, "Patient"),
                (Exclusion::ContactMethod, "WirelessPh"),
                (Exclusion::Active, "yes"),
                (Exclusion::OkToCall, "Yes"),
            ]);
            assert_eq!(status_of(&exclusions), ListEligibility::Ready, "{cell}");
        }
    }

    #[test]
    fn blank_consent_holds_a_recall_and_warns_otherwise() {
        let blank = cells(&[(Exclusion::Consent, "")]);
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
            let exclusions = cells(&[(Exclusion::Consent, cell)]);
            assert_eq!(exclusions.eligibility(Purpose::Recall, Consent::Column).status, expected, "{cell}");
        }
    }

    #[test]
    fn an_appointment_does_not_suppress_a_reminder() {
        let booked = ExclusionCells { is_booked: true, is_disabled_now: true, ..ExclusionCells::default() };
        assert_eq!(booked.eligibility(Purpose::Reminder, Consent::OnFile).status, ListEligibility::Ready);
    }
}
