//! What is refused, with its place and what was meant.

use crate::resources::{Context, parse, validate};

const TENANT: &str =
    "apiVersion: heliograph.dev/v1\nkind: Tenant\nmetadata: { name: acme }\nspec: { display_name: Acme }\n";

/// A file of the tenant and one more resource, which starts in line 6.
pub(super) fn file(kind: &str, name: &str, spec: &str) -> String {
    let spec = format!("  {}\n", spec.replace('\n', "\n  "));
    format!(
        "{TENANT}---\napiVersion: heliograph.dev/v1\nkind: {kind}\nmetadata: {{ tenant: acme, name: {name} }}\nspec:\n{spec}"
    )
}

/// The problems of a file, a line each.
pub(super) fn problems(text: &str) -> Vec<String> {
    let context = Context { channels: &["sms", "webchat", "wechat"], stored: &[], dev: false };
    let outcome = parse("f.yaml", text).and_then(|documents| validate(&documents, &context));
    outcome.err().map(|problems| problems.0.iter().map(ToString::to_string).collect()).unwrap_or_default()
}

#[track_caller]
pub(super) fn refused(kind: &str, name: &str, spec: &str, expected: &[&str]) {
    assert_eq!(problems(&file(kind, name, spec)), expected);
}

#[test]
fn a_wrong_country_is_pointed_at() {
    let spec = "regions:\n  - name: isles\n    countries: [IE, UK]\n    channels: [sms]\n  - name: rest\n    countries:\n      - region:149\n      - \"!union:europe\"\n    channels: [smss]\ndefault: { channels: [] }";
    refused(
        "ChannelPolicy",
        "default",
        spec,
        &[
            r#"f.yaml:12:23: ChannelPolicy/default: spec.regions[0].countries[1]: unknown country "UK"; did you mean "GB"?"#,
            r#"f.yaml:18:18: ChannelPolicy/default: spec.regions[1].channels[0]: unknown channel "smss"; did you mean "sms"?"#,
            r#"f.yaml:16:11: ChannelPolicy/default: spec.regions[1].countries[0]: unknown M49 group "region:149"; did you mean "region:142"?"#,
            r#"f.yaml:17:11: ChannelPolicy/default: spec.regions[1].countries[1]: unknown union "union:europe""#,
        ],
    );
}

#[test]
fn ambiguity_is_an_error_that_names_both_regions() {
    let spec = "regions:\n  - { name: one, countries: [DE, region:155], channels: [sms] }\n  - { name: two, countries: [region:155, \"!FR\"], channels: [sms] }\ndefault: { channels: [webchat] }";
    refused(
        "ChannelPolicy",
        "default",
        spec,
        &[
            r#"f.yaml:12:32: ChannelPolicy/default: spec.regions[1].countries[0]: ambiguous for AT, BE, CH, LI, LU, MC, NL: region "one" names them as specifically with region:155; except them in one of the two"#,
        ],
    );
}

#[test]
fn a_policy_is_refused_for_each_thing_that_is_wrong_with_it() {
    let spec = "regions:\n  - { name: default, countries: [DE], channels: [sms, sms] }\n  - { name: Two, countries: [FR, \"!FR\"], channels: [] }\ndefault: { channels: [] }\nrules:\n  - { name: all, then: deny }";
    refused(
        "ChannelPolicy",
        "default",
        spec,
        &[
            r#"f.yaml:11:15: ChannelPolicy/default: spec.regions[0].name: "default" is reserved"#,
            r#"f.yaml:11:57: ChannelPolicy/default: spec.regions[0].channels[1]: channel "sms" is listed twice"#,
            r#"f.yaml:12:15: ChannelPolicy/default: spec.regions[1].name: "Two" is no name: lower-case letters, digits and inner hyphens, at most 63; did you mean "two"?"#,
            r"f.yaml:12:20: ChannelPolicy/default: spec.regions[1].countries: names no country",
            r"f.yaml:15:7: ChannelPolicy/default: spec.rules[0]: forbids everything: say in match or when which messages",
        ],
    );
}

#[test]
fn unknown_and_missing_fields_are_named() {
    refused(
        "Queue",
        "support",
        "display_name: Support\nring_timout: 30s",
        &[
            "f.yaml:11:3: Queue/support: spec.ring_timout: unknown field `ring_timout`, expected one of `display_name`, `ring_timeout`, `wrap_up`, `skills`, `priority`, `service_level`, `aging`, `agents_by`, `sticky`, `relax`, `overflow`, `hours`, `closed`, `max_wait`, `announce`, `callback`; did you mean \"ring_timeout\"?",
        ],
    );
    refused(
        "Queue",
        "support",
        "priority: 3",
        &["f.yaml:9:1: Queue/support: spec: missing field `display_name`"],
    );
    refused(
        "Queue",
        "support",
        "display_name: Support\nwrap_up: 30",
        &[
            r"f.yaml:11:12: Queue/support: spec.wrap_up: invalid type: integer `30`, expected a string; write it in quotes",
        ],
    );
}

#[test]
fn values_out_of_range_are_refused_where_they_stand() {
    refused(
        "Agent",
        "ann",
        "display_name: Ann\nskills:\n  billing: 11",
        &[
            r"f.yaml:12:14: Agent/ann: spec.skills.billing: skill level 11 is out of range; levels go from 1 to 10",
        ],
    );
    refused(
        "Agent",
        "ann",
        "display_name: Ann\nroles: [agnet]",
        &[
            "f.yaml:11:11: Agent/ann: spec.roles[0]: unknown variant `agnet`, expected `agent` or `supervisor`; did you mean \"agent\"?",
        ],
    );
    refused(
        "Queue",
        "support",
        "display_name: Support\nring_timeout: 30 seconds",
        &[
            r#"f.yaml:11:17: Queue/support: spec.ring_timeout: "30 seconds" is no length of time; write it like 30s, 5m, 1h30m or 2d"#,
        ],
    );
    refused(
        "Calendar",
        "office",
        "hours:\n  - { days: [mon], from: \"09:00\", to: \"08:00\" }",
        &[
            "f.yaml:11:41: Calendar/office: spec.hours[0].to: must be later than from; a night shift is two entries",
        ],
    );
}

#[test]
fn what_a_resource_refers_to_must_be_there() {
    let mut text = file("Queue", "support", "display_name: Support");
    text.push_str("---\napiVersion: heliograph.dev/v1\nkind: RoutingRule\nmetadata: { tenant: acme, name: all }\nspec:\n  queue: suport\n  match:\n    regions: [default, europe]\n    accounts: [main]\n");
    assert_eq!(
        problems(&text),
        [
            r#"f.yaml:16:10: RoutingRule/all: spec.queue: there is no Queue "suport"; did you mean "support"?"#,
            r#"f.yaml:19:16: RoutingRule/all: spec.match.accounts[0]: there is no ChannelAccount "main""#,
            r#"f.yaml:18:24: RoutingRule/all: spec.match.regions[1]: no policy of the tenant has a region "europe""#,
        ]
    );
    let other = "apiVersion: heliograph.dev/v1\nkind: Queue\nmetadata: { tenant: acmee, name: q }\nspec: { display_name: Q }";
    assert_eq!(
        problems(&format!("{TENANT}---\n{other}")),
        [r#"f.yaml:8:21: Queue/q: metadata.tenant: there is no Tenant "acmee"; did you mean "acme"?"#]
    );
}

#[test]
fn an_account_is_checked_against_the_fleet_and_its_neighbours() {
    refused(
        "ChannelAccount",
        "main",
        "channel: wehcat\nregion: europe\nbase_url: ftp://example.com\nsecrets:\n  token: { value: hush }\n  key: [{ env: KEY }, { env: \"\" }]\nrate_limit: { per_second: 0 }",
        &[
            r#"f.yaml:10:12: ChannelAccount/main: spec.channel: unknown channel "wehcat"; this fleet serves sms, webchat, wechat; did you mean "wechat"?"#,
            r#"f.yaml:11:11: ChannelAccount/main: spec.region: no policy of the tenant has a region "europe""#,
            "f.yaml:15:25: ChannelAccount/main: spec.secrets.key[1]: the reference is empty",
            "f.yaml:14:5: ChannelAccount/main: spec.secrets.token: a secret may stand in a resource in development only; use env or file",
            r#"f.yaml:12:13: ChannelAccount/main: spec.base_url: "ftp://example.com" is no http or https URL"#,
            "f.yaml:16:29: ChannelAccount/main: spec.rate_limit.per_second: must be more than 0",
        ],
    );
    let account = |tenant: &str| {
        format!(
            "---\napiVersion: heliograph.dev/v1\nkind: ChannelAccount\nmetadata: {{ tenant: {tenant}, name: main }}\nspec: {{ channel: sms }}\n"
        )
    };
    let other = TENANT.replace("acme", "other");
    let text = format!("{TENANT}---\n{other}{}{}", account("acme"), account("other"));
    let found = problems(&text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[1].contains(r#"another tenant has an account "main" on sms"#), "{found:?}");
}

#[test]
fn documents_that_are_no_resources_are_refused() {
    let table = [
        ("- 1\n- 2", "f.yaml:1:3: a resource is a mapping with apiVersion, kind, metadata and spec"),
        (
            "kind: Queue\nname: x",
            "f.yaml:2:1: Queue: name: unknown field, expected one of apiVersion, kind, metadata, spec",
        ),
        ("apiVersion: v1\nkind: Queue", "f.yaml:1:13: Queue: apiVersion: must be heliograph.dev/v1"),
        (
            "apiVersion: heliograph.dev/v1\nkind: queue\nmetadata: {}\nspec: {}",
            "f.yaml:2:7: queue: kind: unknown kind \"queue\"; did you mean \"Queue\"?",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(problems(text)[0], expected);
    }
    let broken = problems("apiVersion: heliograph.dev/v1\nkind: [Queue");
    assert!(broken[0].starts_with("f.yaml:2:"), "{broken:?}");
    assert!(!broken[0].contains('\n'), "{broken:?}");
    let twice = problems(&format!("{TENANT}---\n{TENANT}"));
    assert_eq!(twice, ["f.yaml:8:19: Tenant/acme: metadata.name: this resource is declared twice"]);
    let doubled = problems("apiVersion: heliograph.dev/v1\nkind: Queue\nkind: Queue\n");
    assert!(doubled[0].starts_with("f.yaml:3:1: "), "{doubled:?}");
}

#[test]
fn all_documents_are_examined_before_anything_is_reported() {
    let text = "apiVersion: v0\nkind: Queue\n---\napiVersion: v0\nkind: Agent\n";
    assert_eq!(problems(text).len(), 2);
}

#[test]
fn a_region_in_use_cannot_be_taken_away() {
    let policy = |region: &str| {
        let spec = format!(
            "regions:\n  - {{ name: {region}, countries: [DE], channels: [sms] }}\ndefault: {{ channels: [] }}"
        );
        file("ChannelPolicy", "default", &spec)
    };
    let rule = "---\napiVersion: heliograph.dev/v1\nkind: RoutingRule\nmetadata: { tenant: acme, name: german }\nspec: { queue: q, match: { regions: [germany] } }\n---\napiVersion: heliograph.dev/v1\nkind: Queue\nmetadata: { tenant: acme, name: q }\nspec: { display_name: Q }\n";
    let before = parse("old.yaml", &format!("{}{rule}", policy("germany"))).unwrap();
    let stored: Vec<_> = before.iter().map(|document| document.resource.clone()).collect();
    let context = Context { channels: &["sms"], stored: &stored, dev: false };
    assert_eq!(validate(&before, &context), Ok(()));
    let renamed = validate(&parse("f.yaml", &policy("europe")).unwrap(), &context).unwrap_err();
    assert_eq!(
        renamed.to_string(),
        "f.yaml:10:3: ChannelPolicy/default: spec.regions: RoutingRule/german still names the region \"germany\", which is gone"
    );
    // Together with the rule it may change.
    let both = format!("{}{}", policy("europe"), rule.replace("germany", "europe"));
    assert_eq!(validate(&parse("f.yaml", &both).unwrap(), &context), Ok(()));
}

#[test]
fn norway_is_a_country_and_an_unquoted_exception_is_explained() {
    let spec =
        "regions:\n  - { name: nordic, countries: [NO, DK], channels: [sms] }\ndefault: { channels: [] }";
    refused("ChannelPolicy", "default", spec, &[]);
    let spec = "regions:\n  - { name: nordic, countries: [union:nordics, !NO], channels: [sms] }\ndefault: { channels: [] }";
    let found = problems(&file("ChannelPolicy", "default", spec));
    assert!(found[0].contains("spec.regions[0].countries[1]"), "{found:?}");
    assert!(found[0].contains("must stand in quotes"), "{found:?}");
}
