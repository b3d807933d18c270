//! [`Campaign`]: the checked content of a campaign file.

use std::path::{Path, PathBuf};

use minijinja::Value;

use super::locations::Locations;
use super::sections::{
    Calling, ListRules, MessageTemplates, Practice, Privacy, Purpose, Rate, Redial, Safety, VendorChoice,
};
use super::writeback::Writeback;
use crate::ids::{CampaignName, Location};
use crate::outcome::OutcomeRules;

/// A checked campaign.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// Names the campaign in the ledger: entries are unique within it.
    pub name: CampaignName,
    /// What the calls are for.
    pub purpose: Purpose,
    /// The calling practice; with `[[line]]` tables, the values that the locations share.
    pub practice: Practice,
    /// The caller id and organisation of each location.
    pub locations: Locations,
    /// How the patient list is read.
    pub list: ListRules,
    /// The message templates.
    pub message: MessageTemplates,
    /// When calls may be made.
    pub calling: Calling,
    /// When an entry is called again.
    pub redial: Redial,
    /// The request budget and the limit on concurrent calls.
    pub rate: Rate,
    /// What stops a run, and how a lost answer is settled.
    pub safety: Safety,
    /// How long patients' data is kept.
    pub privacy: Privacy,
    /// The API or the simulator that places the calls.
    pub vendor: VendorChoice,
    /// The files for the practice's own software.
    pub writeback: Writeback,
    /// Which outcome a finished conversation has.
    pub outcomes: OutcomeRules,
    /// The campaign file.
    pub source: CampaignSource,
}

/// The text of a campaign file and the folder that its relative paths start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignSource {
    /// The file's text; the ledger keeps it, so `resume` needs no file.
    pub text: String,
    /// The folder of the file.
    pub directory: PathBuf,
}

impl CampaignSource {
    /// Resolves a path of the campaign file against the file's folder.
    #[must_use]
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }
}

impl Campaign {
    /// The template objects that do not depend on the row: `practice` and `campaign`.
    #[must_use]
    pub fn template_objects(&self, practice: &Practice) -> Vec<(&'static str, Value)> {
        let practice = minijinja::context! {
            name => practice.name.as_str(),
            callback_number => practice.callback_number.expose(),
            timezone => practice.zone.name(),
        };
        let campaign = minijinja::context! { name => self.name.as_str(), purpose => self.purpose.name() };
        vec![("practice", practice), ("campaign", campaign)]
    }

    /// The practice that calls the patients of a location. `None` for a location without a `[[line]]` table.
    #[must_use]
    pub fn practice_at(&self, location: Option<&Location>) -> Option<&Practice> {
        if self.locations.are_defined() { self.locations.practice(location?.as_str()) } else { Some(&self.practice) }
    }
}
