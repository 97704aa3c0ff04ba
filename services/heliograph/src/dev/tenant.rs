//! The tenants of a development fleet: the caller's files, or the sample.

use heliograph_domain::resources::{Kind, parse};

use crate::{
    SAMPLE,
    admin::{Admin, Manifest},
    commands::resources,
};

/// An address at which nobody answers: made-up credentials must not reach a real provider.
const NOWHERE: &str = "http://127.0.0.1:9";

/// What is applied at the start.
pub(super) struct Tenants {
    manifests: Vec<Manifest>,
    sample: bool,
    names: Vec<String>,
}

impl Tenants {
    /// Reads `files`, or takes the sample when there are none.
    pub(super) fn read(files: &[String]) -> anyhow::Result<Self> {
        let sample = files.is_empty();
        let manifests = if sample {
            vec![Manifest { file: "deploy/samples/acme.yaml".to_owned(), text: SAMPLE.to_owned() }]
        } else {
            resources::read(files)?
        };
        let mut names = Vec::new();
        for manifest in &manifests {
            let documents = parse(&manifest.file, &manifest.text).map_err(crate::admin::AdminError::from)?;
            names.extend(documents.into_iter().map(|document| document.resource.metadata.tenant));
        }
        names.sort();
        names.dedup();
        Ok(Self { manifests, sample, names })
    }

    /// The tenants' names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Where accounts are pointed when there is no sandbox: the sample's nowhere, others to their providers.
    pub(super) fn nowhere(&self) -> Option<String> {
        self.sample.then(|| NOWHERE.to_owned())
    }

    /// Applies the files; the sample only where its tenant is not there yet, so that changes to it last.
    pub(super) async fn apply(&self, admin: &Admin) -> anyhow::Result<()> {
        const BY: &str = "heliograph-dev";
        admin.refill(BY).await?;
        let tenants = admin.list(None, Some(Kind::Tenant)).await?;
        let known = |name: &String| tenants.iter().any(|stored| stored.resource.metadata.name == *name);
        if !self.sample || !self.names.iter().all(known) {
            admin.apply(&self.manifests, false, BY).await?;
        }
        Ok(())
    }
}
