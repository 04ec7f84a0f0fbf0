# cmcomply: what only a real Windows can show. Run it once, as an administrator, on a host that may look at the internet:
#     powershell.exe -NoProfile -ExecutionPolicy Bypass -File windows-selftest.ps1 -Script HOST.observe.ps1
# HOST.observe.ps1 is what `cmcomply plan` writes for this host. It prints one line for each check and writes
# selftest-NAME.txt beside itself. It sends nothing anywhere.
param([Parameter(Mandatory = $true)][string] $Script)

$ErrorActionPreference = 'Continue'
$ProgressPreference = 'SilentlyContinue'
$results = New-Object Collections.ArrayList

function Add-Result([string] $Name, [scriptblock] $Check) {
    try { $said = '' + (& $Check) } catch { $said = 'FAILED: ' + $_.Exception.Message }
    $line = $Name + ': ' + $said
    $null = $results.Add($line)
    Write-Output $line
}

# Runs PowerShell with a text on its standard input, and gives back what it prints.
function Invoke-Piped([string] $Program, [string] $Arguments, [string] $Text) {
    $start = New-Object Diagnostics.ProcessStartInfo $Program, $Arguments
    $start.UseShellExecute = $false
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $process = [Diagnostics.Process]::Start($start)
    $process.StandardInput.Write($Text)
    $process.StandardInput.Close()
    $said = $process.StandardOutput.ReadToEnd()
    $process.WaitForExit()
    $said
}

$shell = Join-Path $PSHOME 'powershell.exe'
$encode = { param($text) [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($text)) }

Add-Result 'versions' { '' + $PSVersionTable.PSVersion + ', CLR ' + [Environment]::Version + ', ' + [Environment]::OSVersion.VersionString }
Add-Result 'language mode' { $ExecutionContext.SessionState.LanguageMode }
Add-Result 'account' { [Security.Principal.WindowsIdentity]::GetCurrent().Name }
Add-Result 'name' {
    $tcp = Get-ItemProperty 'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters'
    $env:COMPUTERNAME + ', ' + $tcp.Hostname + ', ' + $tcp.Domain
}
Add-Result 'standard input is read by $input' {
    $said = Invoke-Piped $shell ('-NoProfile -NonInteractive -EncodedCommand ' + (& $encode '(@($input) -join "").Length')) (('x' * 1000 + "`r`n") * 300)
    if ($said.Trim() -eq '300000') { 'yes' } else { 'NO: ' + $said }
}
Add-Result 'the same behind cmd.exe' {
    $said = Invoke-Piped $env:ComSpec ('/c powershell.exe -NoProfile -NonInteractive -EncodedCommand ' + (& $encode '(@($input) -join "").Length')) (('x' * 1000 + "`r`n") * 300)
    if ($said.Trim() -eq '300000') { 'yes' } else { 'NO: ' + $said }
}
Add-Result 'constrained language is told' {
    $said = Invoke-Piped $shell ('-NoProfile -NonInteractive -EncodedCommand ' + (& $encode '$ExecutionContext.SessionState.LanguageMode = "ConstrainedLanguage"; "mode " + $ExecutionContext.SessionState.LanguageMode')) ''
    $said.Trim()
}
Add-Result 'the core is compiled and runs' {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $said = & $shell -NoProfile -NonInteractive -ExecutionPolicy Bypass -File $Script 2>&1 | Out-String
    $said.Trim() + ' after ' + [int]$clock.Elapsed.TotalSeconds + ' s'
}
Add-Result 'what it saw' {
    $file = Join-Path (Split-Path -Parent (Resolve-Path $Script)) ('observations-' + $env:COMPUTERNAME + '.json')
    $seen = [IO.File]::ReadAllText($file) | ConvertFrom-Json
    $all = @($seen.observations)
    $ok = @($all | Where-Object { $_.http.outcome -eq 'ok' }).Count
    $tls = @($all | ForEach-Object { $_.tls.evidence.version } | Sort-Object -Unique) -join ' '
    $codes = @($all | ForEach-Object { foreach ($s in 'name', 'tcp', 'connect', 'tls', 'trust', 'http') { if ($_.$s.failure) { $s + '=' + $_.$s.failure.code } } } | Group-Object | ForEach-Object { $_.Name + ' ' + $_.Count }) -join ', '
    '' + $all.Count + ' probes, ' + $ok + ' with an answer; TLS: ' + $tls + '; failures: ' + $codes
}
Add-Result 'facts that could not be read' {
    $file = Join-Path (Split-Path -Parent (Resolve-Path $Script)) ('observations-' + $env:COMPUTERNAME + '.json')
    $facts = ([IO.File]::ReadAllText($file) | ConvertFrom-Json).facts
    @($facts.PSObject.Properties | Where-Object { $_.Value.state -eq 'unreadable' } | ForEach-Object { $_.Name + ' (' + $_.Value.why + ')' }) -join ', '
}
Add-Result 'certificates as served' {
    $file = Join-Path (Split-Path -Parent (Resolve-Path $Script)) ('observations-' + $env:COMPUTERNAME + '.json')
    $seen = [IO.File]::ReadAllText($file) | ConvertFrom-Json
    @($seen.observations | ForEach-Object { @($_.tls.evidence.served).Count } | Group-Object | ForEach-Object { $_.Name + ' of a chain: ' + $_.Count }) -join ', '
}
Add-Result 'no task was left behind' {
    $scheduler = New-Object -ComObject 'Schedule.Service'
    $scheduler.Connect()
    $left = @($scheduler.GetFolder('\').GetTasks(1) | Where-Object { $_.Name -like 'cmcomply-*' })
    if ($left.Count -eq 0) { 'none' } else { 'LEFT: ' + (@($left | ForEach-Object { $_.Name }) -join ' ') }
}
Add-Result 'WinRM runs it' {
    $said = Invoke-Command -ComputerName localhost -ScriptBlock { '' + $PSVersionTable.PSVersion + ' as ' + [Security.Principal.WindowsIdentity]::GetCurrent().Name } 2>&1 | Out-String
    $said.Trim()
}

$out = Join-Path (Split-Path -Parent (Resolve-Path $Script)) ('selftest-' + $env:COMPUTERNAME + '.txt')
[IO.File]::WriteAllLines($out, [string[]]@($results))
Write-Output ('written: ' + $out)
