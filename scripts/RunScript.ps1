# cmcomply: looks at the internet endpoints that clients of this hierarchy need, from the client that runs it, and answers
# with one short line. It changes nothing, and leaves nothing behind.
#
# For the Run Scripts of the Configuration Manager console: import it under Software Library, Scripts; let somebody approve
# it; run it on a collection. It takes no parameters, so that what was approved is what runs. It runs as SYSTEM, needs
# PowerShell 4.0 and .NET Framework 4.5 or later, no modules, and ends by itself at the deadline of its plan.
# `cmcomply run-script collect` reads the answers from the site database.
#
# The block $data is the plan, in Base64: JSON with the names, ports and proxies to look at, and the bounds. It is data: it is
# read by the core's own parser, and no part of it is ever run. The file clients.plan.json beside this one says the same in
# clear. To read the block itself:
#     [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($data))
#
# The core is C# 5. It is compiled here, in memory and in this account's folder for temporary files, by Add-Type. It opens
# the connections that the plan names, and says of each in two letters what came of it.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

# A policy may let scripts run in a constrained language, in which nothing of this works.
$mode = '' + $ExecutionContext.SessionState.LanguageMode
if ($mode -ne 'FullLanguage') {
    'CMCOMPLY-CLIENT/1 blocked ' + $mode
    return
}

$data = @'
# <data>
'@

$core = @'
# <core>
'@

$doing = 'compiling'
try {
    # Without the switch, a warning of another compiler than ours would be an error.
    Add-Type -TypeDefinition $core -Language CSharp -ReferencedAssemblies 'System', 'System.Core' -IgnoreWarnings
    $doing = 'reading-the-plan'
    $json = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($data))
    $isSystem = [Security.Principal.WindowsIdentity]::GetCurrent().IsSystem
    $doing = 'running-the-plan'
    [Cmcomply.Brief]::Run($json, $isSystem)
} catch {
    'CMCOMPLY-CLIENT/1 failed ' + $doing
}
