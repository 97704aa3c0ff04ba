//! `heliograph policy regions` and `residency`.

use clap::Args;
use heliograph_domain::{
    region::Country,
    resources::{ChannelPolicySpec, RegionPlan, Spec},
};
use heliograph_policy::{CompiledPolicy, RegionSource};
use heliograph_runtime::Settings;
use serde_json::json;

use crate::{connect, failure::Usage, output};

/// Name of the region of everybody else.
const DEFAULT: &str = "default";

/// Flags of `policy regions`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  heliograph policy regions --tenant acme
  heliograph policy regions --tenant acme --country BR")]
pub struct RegionsArgs {
    /// Whose policy
    #[arg(short, long, value_name = "TENANT")]
    pub tenant: String,
    /// Only the region of this country: an ISO 3166-1 code of two letters
    #[arg(long, value_name = "CODE")]
    pub country: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `policy residency`.
#[derive(Debug, Args)]
#[command(
    after_help = "Each line is a subject filter for a mirror of HG_EVENTS at the site. Regions without a residency \
of their own may be held everywhere.

Examples:
  heliograph policy residency --tenant acme --site eu"
)]
pub struct ResidencyArgs {
    /// Whose policy
    #[arg(short, long, value_name = "TENANT")]
    pub tenant: String,
    /// The site
    #[arg(long, value_name = "SITE")]
    pub site: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Prints the regions and their channels.
pub(super) async fn regions(args: &RegionsArgs, settings: &Settings) -> anyhow::Result<()> {
    let admin = connect::admin(settings).await?;
    let stored = admin.policy(&args.tenant, None).await?;
    let Spec::ChannelPolicy(spec) = &stored.resource.spec else { unreachable!("only policies are read") };
    let calendars = admin.calendars(&args.tenant).await?;
    let policy = CompiledPolicy::compile(&stored.resource.metadata.name, stored.version, spec, &calendars)
        .map_err(crate::admin::AdminError::from)?;
    let place = |country| policy.place(country, RegionSource::Explicit);
    let only = match &args.country {
        None => None,
        Some(code) => {
            let country: Country =
                code.to_ascii_uppercase().parse().map_err(|error| Usage(format!("--country: {error}")))?;
            Some(place(country))
        }
    };
    let mut rows = Vec::new();
    for (name, plan) in plans(spec) {
        if only.as_ref().is_some_and(|found| *found.region != *name) {
            continue;
        }
        let countries: Vec<&str> = Country::all()
            .filter(|country| country.is_assigned() && *place(*country).region == *name)
            .map(Country::code)
            .collect();
        rows.push((name, plan, countries));
    }
    if args.json {
        let json = rows.iter().map(|(name, plan, countries)| {
            json!({ "name": name, "countries": countries, "plan": plan, "term": only.as_ref().and_then(|found| found.term.as_deref()) })
        });
        return output::json(&json.collect::<Vec<_>>());
    }
    let rows: Vec<[String; 4]> = rows
        .into_iter()
        .map(|(name, plan, countries)| {
            let own = plan
                .classes
                .iter()
                .map(|(class, channels)| format!("{}: {}", class.as_str(), channels.join(", ")));
            [name, countries.len().to_string(), plan.channels.join(", "), own.collect::<Vec<_>>().join("; ")]
        })
        .collect();
    output::table(["REGION", "COUNTRIES", "CHANNELS", "FOR SOME CLASSES"], &rows)?;
    if let Some(found) = only {
        let by =
            found.term.as_deref().map_or("no region names it".to_owned(), |term| format!("named by {term}"));
        output::note(&by);
    }
    Ok(())
}

/// Prints subjects whose events a site may hold.
pub(super) async fn residency(args: &ResidencyArgs, settings: &Settings) -> anyhow::Result<()> {
    let stored = connect::admin(settings).await?.policy(&args.tenant, None).await?;
    let Spec::ChannelPolicy(spec) = &stored.resource.spec else { unreachable!("only policies are read") };
    let subjects: Vec<String> = plans(spec)
        .filter(|(_, plan)| plan.residency.is_empty() || plan.residency.contains(&args.site))
        .map(|(region, _)| format!("hg.event.{}.{region}.>", args.tenant))
        .collect();
    if args.json {
        return output::json(&subjects);
    }
    subjects.iter().try_for_each(|subject| output::line(subject))
}

/// Every region and what holds in it, the default last.
fn plans(spec: &ChannelPolicySpec) -> impl Iterator<Item = (String, RegionPlan)> + '_ {
    let declared = spec.regions.iter().map(|region| (region.name.clone(), region.plan()));
    declared.chain(std::iter::once_with(|| (DEFAULT.to_owned(), spec.default.clone())))
}
