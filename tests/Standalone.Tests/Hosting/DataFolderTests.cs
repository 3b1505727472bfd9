using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Standalone.Hosting;

namespace BeeFormer.Streaming.Standalone.Tests.Hosting;

public sealed class DataFolderTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("beeformer-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void A_folder_is_made_and_opened_again()
    {
        string path = Path.Combine(root, "new", "data");
        DataFolder.Open(path).Dispose();
        using DataFolder again = DataFolder.Open(path);
        Assert.Equal(Path.Combine(path, "windows"), again.Windows);
    }

    [Theory]
    [InlineData("""{"product": "BeeFormer.Streaming", "format": 2}""", "names format 2, expected 1")]
    [InlineData("""{"format": """, "names format none, expected 1")]
    [InlineData("[]", "names format none, expected 1")]
    public void A_folder_of_another_version_is_refused_and_left_alone(string format, string expected)
    {
        File.WriteAllText(Path.Combine(root, "format.json"), format);
        string message = Assert.Throws<InvalidDataException>(() => DataFolder.Open(root)).Message;
        Assert.Contains(root, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Equal([Path.Combine(root, "format.json")], Directory.GetFileSystemEntries(root));
    }

    [Fact]
    public void Parts_without_a_format_are_another_versions()
    {
        Directory.CreateDirectory(Path.Combine(root, "windows"));
        Assert.Contains("holds the folder windows but no format.json", Assert.Throws<InvalidDataException>(() => DataFolder.Open(root)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_at_once_are_refused_but_looking_is_not()
    {
        using DataFolder first = DataFolder.Open(root);
        Assert.Contains("is in use by another process", Assert.Throws<IOException>(() => DataFolder.Open(root)).Message, StringComparison.Ordinal);
        DataFolder.OpenToRead(root).Dispose();
    }

    [Fact]
    public void Looking_makes_no_folder()
    {
        string path = Path.Combine(root, "nothing");
        Assert.Contains("is no data folder", Assert.Throws<IOException>(() => DataFolder.OpenToRead(path)).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(path));
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080")]
    [InlineData("http://localhost:0;http://[::1]:5000")]
    public void Loopback_addresses_are_served(string urls) => Loopback.Check(urls);

    [Theory]
    [InlineData("http://0.0.0.0:8080", "http://127.0.0.1:8080")]
    [InlineData("http://[::]:80", "http://[::1]")]
    [InlineData("http://192.168.1.5:2", "http://192.168.1.5:2")]
    [InlineData("http://localhost:5000", "http://localhost:5000")]
    public void What_listens_everywhere_is_asked_here(string url, string expected) => Assert.Equal(expected, Loopback.OnThisMachine(url));

    [Theory]
    [InlineData("http://0.0.0.0:8080", "can be reached from other machines")]
    [InlineData("http://*:8080", "is no address")]
    [InlineData("8080", "is no address")]
    [InlineData("http://127.0.0.1:1;http://192.168.1.5:2", "http://192.168.1.5:2 can be reached")]
    public void Other_addresses_are_not(string urls, string expected) =>
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => Loopback.Check(urls)).Message, StringComparison.Ordinal);
}
