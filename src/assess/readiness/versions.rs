//! Rules on versions: support, the way to the target, the state of the update itself.

use std::collections::BTreeMap;

use super::Case;
use super::answer::{Answer, Answered, NOT_SAID, lacks, rows};
use crate::site::{Site, UpdatePackageState};

/// The sites. A hierarchy without one was not read.
pub(super) fn sites<'a>(case: &Case<'a>) -> Result<&'a [Site], Answer> {
    match rows("sites", &case.facts.sites)? {
        [] => Err(Answer::missing("sites", "the list is empty", "read the database of the top-level site")),
        sites => Ok(sites),
    }
}

/// Asks of the sites of each build, who are named as `site CAS has` or `sites CAS, PS1 have`; a site without a build is
/// undecided.
fn each_build(case: &Case<'_>, ask: impl Fn(&str, u32) -> Answer) -> Answered {
    let mut builds: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    let mut answers = Vec::new();
    for site in sites(case)? {
        match site.build {
            Some(build) => builds.entry(build).or_default().push(site.code.as_str()),
            None => answers.push(Answer::missing(
                format!("the build of site {}", site.code),
                NOT_SAID,
                "read the database of the top-level site",
            )),
        }
    }
    answers.extend(builds.iter().map(|(build, codes)| match codes.as_slice() {
        [one] => ask(&format!("site {one} has"), *build),
        several => ask(&format!("sites {} have", several.join(", ")), *build),
    }));
    answers.push(lacks("sites", &case.facts.sites));
    Ok(answers.into_iter().collect())
}

/// The version of a build, for people.
pub(super) fn version(case: &Case<'_>, build: u32) -> String {
    case.catalog.release(build).map_or_else(|| format!("build {build}"), |release| release.version.clone())
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of the table")]
pub(super) fn target_supported(case: &Case<'_>) -> Answered {
    let (target, day) = (case.target, case.day);
    let text = format!("version {} is supported until {}", target.version, target.support_ends);
    Ok(Answer::of(day <= target.support_ends, text))
}

pub(super) fn sites_supported(case: &Case<'_>) -> Answered {
    each_build(case, |who, build| match case.catalog.release(build) {
        Some(release) => {
            let ends = release.support_ends;
            let verb = if case.day <= ends { "is" } else { "was" };
            Answer::of(case.day <= ends, format!("{who} {}, which {verb} supported until {ends}", release.version))
        }
        None => unknown_build(case, build),
    })
}

pub(super) fn update_path(case: &Case<'_>) -> Answered {
    let target = case.target;
    each_build(case, |who, build| {
        if build >= target.build {
            return Answer::needless(format!("{who} build {build} already"));
        }
        let Some(floor) = &target.upgrade_floor else {
            return Answer::missing(
                format!("the oldest version that can be updated to {}", target.version),
                "not in the catalog",
                format!("look into the checklist for installing update {}", target.version),
            );
        };
        let has = version(case, build);
        match case.catalog.releases.iter().find(|release| release.version == *floor) {
            Some(release) => {
                let text = format!("{who} {has}, and the update needs {floor} or later");
                Answer::of(build >= release.build, text)
            }
            None => unknown_build(case, build),
        }
    })
}

fn unknown_build(case: &Case<'_>, build: u32) -> Answer {
    Answer::missing(
        format!("what build {build} is"),
        format!("not in the table of versions of catalog {}", case.catalog.version),
        "use a newer catalog, or add the version with --catalog",
    )
}

pub(super) fn equal_builds(case: &Case<'_>) -> Answered {
    let newest = sites(case)?.iter().filter_map(|site| site.build).max();
    each_build(case, |who, build| {
        let has = format!("{who} build {build} ({})", version(case, build));
        match newest {
            Some(newest) if newest != build => Answer::wrong(format!("{has}, and another one build {newest}")),
            _ => Answer::fine(has),
        }
    })
}

pub(super) fn update_listed(case: &Case<'_>) -> Answered {
    let target = case.target;
    let are_all = case.facts.sites.may_lack().is_none();
    if sites(case)?.iter().all(|site| site.build.is_some_and(|build| build >= target.build)) && are_all {
        return Ok(Answer::needless(format!("every site has build {} already", target.build)));
    }
    let packages = rows("updates of the product", &case.facts.update_packages)?;
    let is_target = |version: &str| version.split('.').nth(2).is_some_and(|build| build == target.build.to_string());
    let of_target: Vec<_> =
        packages.iter().filter(|package| package.version.as_deref().is_some_and(is_target)).collect();
    let look = "look at Administration, Updates and Servicing in the console";
    if of_target.is_empty() {
        if packages.iter().any(|package| package.version.is_none()) {
            return Ok(Answer::missing("which versions the updates bring", NOT_SAID, look));
        }
        if case.facts.update_packages.may_lack().is_some() {
            return Ok(lacks("updates of the product", &case.facts.update_packages));
        }
        return Ok(Answer::wrong(format!("the console does not list an update to build {}", target.build)));
    }
    let says = |package: &&crate::site::UpdatePackage| {
        let name = package.name.clone().unwrap_or_else(|| target.version.clone());
        match package.state {
            Some(UpdatePackageState::Installed) => Answer::fine(format!("{name} is installed")),
            Some(UpdatePackageState::ReadyToInstall) => Answer::fine(format!("{name} is ready to install")),
            Some(UpdatePackageState::AvailableToDownload) => Answer::fine(format!("{name} is available to download")),
            Some(UpdatePackageState::Hidden) => Answer::wrong(format!("{name} is hidden")),
            Some(UpdatePackageState::NotApplicable) => Answer::wrong(format!("{name} is listed as not applicable")),
            Some(UpdatePackageState::Other(state)) => {
                let why = format!("state {state} is a step on the way, or a failure");
                Answer::missing(format!("how far {name} is"), why, look)
            }
            None => Answer::missing(format!("how far {name} is"), NOT_SAID, look),
        }
    };
    Ok(of_target.iter().map(says).collect())
}
