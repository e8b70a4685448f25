//! Who and where this process is.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

/// Who and where this guest process is.
///
/// Texts are empty where the VM was given none; the name, the role and both lists of folders never are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgpEnv {
    /// Folders of the VM, which all its processes share.
    pub vm_data_folders: Vec<PathBuf>,
    /// Folders of this process.
    pub process_data_folders: Vec<PathBuf>,
    pub region: String,
    pub data_center: String,
    pub cluster: String,
    pub host: String,
    pub vm_name: String,
    pub owner: String,
    pub role: String,
    /// The VM's primary IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// The VM's primary IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
}

impl EgpEnv {
    /// What the host says, and outside of WebAssembly what the variables of the process say.
    ///
    /// Fails with `InvalidInput` where something is missing that must not be.
    pub fn get() -> io::Result<Self> {
        #[cfg(target_arch = "wasm32")]
        return Self::from_host();
        #[cfg(not(target_arch = "wasm32"))]
        return Self::from_variables(|name| std::env::var(name).ok());
    }

    #[cfg(target_arch = "wasm32")]
    fn from_host() -> io::Result<Self> {
        use crate::addresses::{ipv4, ipv6};

        let vm = crate::bindings::ingen::sdk::environment::get()?;
        let folders = |names: Vec<String>| names.into_iter().map(PathBuf::from).collect();
        Ok(Self {
            vm_data_folders: folders(vm.data_folders),
            process_data_folders: folders(vm.process_data_folders),
            region: vm.region,
            data_center: vm.data_center,
            cluster: vm.cluster,
            host: vm.host,
            vm_name: vm.name,
            owner: vm.owner,
            role: vm.role,
            ipv4: vm.primary_ipv4.map(ipv4),
            ipv6: vm.primary_ipv6.map(ipv6),
        })
    }

    /// What variables say, as a host would: `EVM_NAME`, `EVM_ROLE`, `EVM_DATA_FOLDER` and so on.
    ///
    /// ```
    /// use ingen_wasm_sdk::EgpEnv;
    ///
    /// let variables = |name: &str| match name {
    ///     "EVM_NAME" => Some("vm1".to_string()),
    ///     "EVM_ROLE" => Some("database".to_string()),
    ///     "EVM_DATA_FOLDER" => Some("/data,/shared".to_string()),
    ///     "EGP_DATA_FOLDER" => Some("/process".to_string()),
    ///     _ => None,
    /// };
    /// let env = EgpEnv::from_variables(variables).unwrap();
    /// assert_eq!(env.vm_name, "vm1");
    /// assert_eq!(env.vm_data_folders.len(), 2);
    /// assert_eq!(env.ipv4, None);
    /// ```
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> io::Result<Self> {
        let text = |name: &str| variable(name).unwrap_or_default();
        let folders = |name: &str| -> io::Result<Vec<PathBuf>> {
            let found: Vec<_> =
                text(name).split(',').filter(|part| !part.is_empty()).map(PathBuf::from).collect();
            if found.is_empty() {
                Err(not_set(name))
            } else {
                Ok(found)
            }
        };
        let needed =
            |name: &str| Some(text(name)).filter(|text| !text.is_empty()).ok_or_else(|| not_set(name));
        Ok(Self {
            vm_data_folders: folders("EVM_DATA_FOLDER")?,
            process_data_folders: folders("EGP_DATA_FOLDER")?,
            region: text("EVM_LOC_REGION"),
            data_center: text("EVM_LOC_DC"),
            cluster: text("EVM_LOC_CLUSTER"),
            host: text("EVM_LOC_HOST"),
            vm_name: needed("EVM_NAME")?,
            owner: text("EVM_OWNER"),
            role: needed("EVM_ROLE")?,
            ipv4: address("EVM_PRIVATE_IPV4", &text("EVM_PRIVATE_IPV4"))?,
            ipv6: address("EVM_PRIVATE_IPV6", &text("EVM_PRIVATE_IPV6"))?,
        })
    }
}

fn not_set(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{name} is not set"))
}

fn address<A: std::str::FromStr>(name: &str, text: &str) -> io::Result<Option<A>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{name} is {text:?}, which is no such address"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn variables() -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([
            ("EVM_DATA_FOLDER", "/data,/shared"),
            ("EGP_DATA_FOLDER", "/process"),
            ("EVM_LOC_REGION", "north"),
            ("EVM_LOC_DC", "n1"),
            ("EVM_LOC_CLUSTER", "c7"),
            ("EVM_LOC_HOST", "h42"),
            ("EVM_NAME", "vm1"),
            ("EVM_OWNER", "somebody"),
            ("EVM_ROLE", "database"),
            ("EVM_PRIVATE_IPV4", "10.0.0.1"),
            ("EVM_PRIVATE_IPV6", "fd00::1"),
        ])
    }

    fn read(variables: &BTreeMap<&str, &str>) -> io::Result<EgpEnv> {
        EgpEnv::from_variables(|name| variables.get(name).map(|text| text.to_string()))
    }

    #[test]
    fn everything_is_read() {
        let env = read(&variables()).unwrap();
        assert_eq!(
            env,
            EgpEnv {
                vm_data_folders: vec!["/data".into(), "/shared".into()],
                process_data_folders: vec!["/process".into()],
                region: "north".into(),
                data_center: "n1".into(),
                cluster: "c7".into(),
                host: "h42".into(),
                vm_name: "vm1".into(),
                owner: "somebody".into(),
                role: "database".into(),
                ipv4: Some(Ipv4Addr::new(10, 0, 0, 1)),
                ipv6: Some("fd00::1".parse().unwrap()),
            }
        );
    }

    #[test]
    fn some_must_be_there() {
        for name in ["EVM_DATA_FOLDER", "EGP_DATA_FOLDER", "EVM_NAME", "EVM_ROLE"] {
            let mut without = variables();
            without.remove(name);
            assert_eq!(read(&without).unwrap_err().to_string(), format!("{name} is not set"));
            without.insert(name, "");
            assert_eq!(read(&without).unwrap_err().to_string(), format!("{name} is not set"));
        }
    }

    #[test]
    fn addresses_are_checked() {
        for (name, wrong) in [("EVM_PRIVATE_IPV4", "10.0.0"), ("EVM_PRIVATE_IPV6", "10.0.0.1")] {
            let mut changed = variables();
            changed.insert(name, wrong);
            let message = format!("{name} is {wrong:?}, which is no such address");
            assert_eq!(read(&changed).unwrap_err().to_string(), message);
        }
    }
}
