namespace BeeFormer.Streaming.Encoder.Tests.Images;

public sealed class PictureFolderTests : IDisposable
{
    private readonly TemporaryFolder _outer = new();
    private readonly string _folder;

    public PictureFolderTests()
    {
        _folder = Directory.CreateDirectory(_outer.File("pictures")).FullName;
        Directory.CreateDirectory(Path.Combine(_folder, "chairs"));
        File.WriteAllBytes(Path.Combine(_folder, "chairs", "red one.png"), [1, 2, 3]);
        File.WriteAllBytes(_outer.File("secret"), [9]);
        Directory.CreateDirectory(_outer.File("pictures-of-others"));
        File.WriteAllBytes(Path.Combine(_outer.File("pictures-of-others"), "a.png"), [9]);
    }

    public void Dispose() => _outer.Dispose();

    [Fact]
    public void Relative_path_and_file_address_are_read()
    {
        var pictures = new PictureFolder(_folder);
        Assert.Equal([1, 2, 3], pictures.Read("chairs/red one.png"));
        Assert.Equal([1, 2, 3], pictures.Read(new Uri(Path.Combine(_folder, "chairs", "red one.png")).AbsoluteUri));
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("chairs/../../secret")]
    [InlineData("../pictures-of-others/a.png")]
    [InlineData("/etc/hostname")]
    [InlineData("file:///etc/hostname")]
    [InlineData("file://host/share/a.png")]
    [InlineData("http://localhost/a.png")]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("chairs")]
    [InlineData("a\0.png")]
    [InlineData("chairs/missing.png")]
    public void What_is_no_file_inside_the_folder_is_refused(string url) =>
        Assert.StartsWith($"image_url '{url}': ", Assert.Throws<InvalidDataException>(() => new PictureFolder(_folder).Read(url)).Message, StringComparison.Ordinal);

    [Fact]
    public void Encoded_dots_in_a_file_address_do_not_lead_out() =>
        Assert.Throws<InvalidDataException>(() => new PictureFolder(_folder).Read($"file://{_folder}/%2e%2e/secret"));

    [Fact]
    public void Symbolic_links_are_not_followed()
    {
        File.CreateSymbolicLink(Path.Combine(_folder, "link.png"), _outer.File("secret"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "linked"), _outer.Path);
        foreach (string url in (string[])["link.png", "linked/secret"])
            Assert.Contains("symbolic links", Assert.Throws<InvalidDataException>(() => new PictureFolder(_folder).Read(url)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Longer_file_than_the_limit_is_refused() =>
        Assert.Contains("3 bytes; expected at most 2", Assert.Throws<InvalidDataException>(() => new PictureFolder(_folder, new ImageLimits(2, 100)).Read("chairs/red one.png")).Message, StringComparison.Ordinal);
}
