//! `outcomes`: what a bot's conversations carry, what the campaign's rules take it for, and rules for what they do not
//! know.

use serde::Serialize;

use crate::campaign::Campaign;
use crate::error::{CommandError, ExitStatus};
use crate::ids::CampaignName;
use crate::ledger::{LedgerError, LedgerReader};
use crate::report::OutcomeTally;
use crate::report::outcome_tally::TallyDocument;
use crate::report::suggested_rules::suggested_rules;

use super::args::{GlobalArgs, OutcomesAction, OutcomesArgs};
use super::known_campaign::campaign_on_ledger;
use super::output::Output;
use super::status::campaign_named;
use super::{outcomes_apply, outcomes_from_vendor, settings};

/// The tally as one JSON document.
#[derive(Serialize)]
struct OutcomesDocument<'a> {
    campaign: &'a CampaignName,
    /// `ledger` or `vendor`.
    source: &'static str,
    #[serde(flatten)]
    tally: TallyDocument,
}

pub(super) async fn outcomes(
    args: &OutcomesArgs,
    global: &GlobalArgs,
    output: Output,
) -> Result<ExitStatus, CommandError> {
    if let Some(OutcomesAction::Apply { campaign, yes }) = &args.action {
        return outcomes_apply::apply(campaign, *yes, global, output);
    }
    let (campaign, tally, source) = match &args.target {
        Some(file) if args.from_vendor => {
            let campaign = settings::campaign(file.as_ref())?;
            let tally = outcomes_from_vendor::tally(&campaign, args.pages, output).await?;
            (campaign, tally, "vendor")
        }
        target => {
            let (campaign, tally) = from_ledger(target.as_deref(), global)?;
            (campaign, tally, "ledger")
        }
    };
    if args.suggest {
        output.data(&suggested_rules(&tally, &campaign.outcomes, args.show_words))?;
    } else if output.json {
        let tally = tally.document(args.show_words);
        output.document(&OutcomesDocument { campaign: &campaign.name, source, tally })?;
    } else {
        let where_from = if source == "vendor" { "on the vendor's list" } else { "whose words the ledger keeps" };
        output.data(&format!("{}, conversations {where_from}\n{}", campaign.name, tally.render(args.show_words)))?;
        if tally.unclassified > 0 {
            output.say(&format!(
                "`callrounds outcomes {} --suggest` writes rules for the unclear ones",
                shown(args, &campaign)
            ));
        }
    }
    Ok(ExitStatus::Done)
}

/// The campaign as the command named it.
fn shown<'a>(args: &'a OutcomesArgs, campaign: &'a Campaign) -> &'a str {
    args.target.as_deref().unwrap_or(campaign.name.as_str())
}

/// The conversations that the ledger keeps, by the rules of the campaign file that `target` names, or else by those
/// that the ledger has of the campaign.
fn from_ledger(target: Option<&str>, global: &GlobalArgs) -> Result<(Campaign, OutcomeTally), CommandError> {
    let (reader, name) = if let Some(target) = target {
        campaign_on_ledger(target, global)?
    } else {
        let reader = LedgerReader::open(&settings::find_ledger(global)?)?;
        let newest = reader.campaign_names()?.into_iter().next().ok_or(LedgerError::NoRun)?;
        (reader, newest)
    };
    let file = target.map(std::path::Path::new).filter(|file| file.is_file());
    let campaign = match file {
        Some(file) => settings::campaign(file)?,
        None => campaign_named(&reader, &name)?,
    };
    let mut tally = OutcomeTally::default();
    reader.each_conversation(&name, |conversation| {
        let signals = &conversation.words.signals;
        tally.add(signals, &campaign.outcomes.classify(signals));
        Ok::<_, LedgerError>(())
    })?;
    Ok((campaign, tally))
}
